package org.lathe.cli.commands;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Holds the commands around an external memory together. */
@Command(
    name = "datastore",
    synopsisSubcommandLabel = "COMMAND",
    description = "The external memory on disk: keys, values and the documents they come from.",
    subcommands = {
      DatastoreBuildCommand.class,
      DatastoreAddCommand.class,
      DatastoreRemoveCommand.class,
      DatastoreCompactCommand.class,
      DatastoreInfoCommand.class,
      DatastoreVerifyCommand.class
    },
    footer = {"", "Example:", "  lathe datastore build runs/tiny --out stores/tiny"})
final class DatastoreCommand implements Runnable {
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
    throw new ParameterException(
        spec.commandLine(), "expected build, add, remove, compact, info or verify");
  }
}
