package org.lathe.cli.commands;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lathe} itself: holds the commands together. */
@Command(
    name = "lathe",
    version = "lathe 0.1.0-SNAPSHOT",
    synopsisSubcommandLabel = "COMMAND",
    description = "Makes large language models small, on the JVM.",
    subcommands = {
      DemoCommand.class,
      FetchCommand.class,
      PrepareCommand.class,
      TrainCommand.class,
      EvaluateCommand.class,
      DatastoreCommand.class,
      PruneCommand.class,
      ExportCommand.class,
      VerifyCommand.class,
      PredictCommand.class,
      BenchmarkCommand.class,
      ReportCommand.class,
      PresetsCommand.class,
      DoctorCommand.class,
      ResultsCommand.class
    },
    footer = {
      "",
      "Start with:  lathe demo        the whole path in about ten minutes",
      "             lathe doctor      what this machine can do",
      "",
      "Exit codes: 0 done, 1 failed, 2 usage, 3 corrupt input, 4 diverged, 130 interrupted."
    })
public final class LatheCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  boolean version;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "expected a command");
  }
}
