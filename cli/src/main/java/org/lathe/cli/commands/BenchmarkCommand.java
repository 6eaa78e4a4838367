package org.lathe.cli.commands;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Holds the benchmarks together; each measures its candidates in turns in one process. */
@Command(
    name = "benchmark",
    synopsisSubcommandLabel = "WHAT",
    description = "Measure speed, beside an alternative, in one run.",
    subcommands = {
      BenchmarkTrainingCommand.class,
      BenchmarkSearchCommand.class,
      BenchmarkMemoryCommand.class,
      BenchmarkSublayersCommand.class,
      BenchmarkLatencyCommand.class
    },
    footer = {
      "",
      "Example:",
      "  lathe benchmark training --preset demo --set data.directory=data/docs \\",
      "    --against memory.objective=none"
    })
final class BenchmarkCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "expected what to measure");
  }
}
