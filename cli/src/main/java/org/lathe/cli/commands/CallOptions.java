package org.lathe.cli.commands;

import java.util.List;
import picocli.CommandLine.Option;

/** What a timed call of a served model looks like, but for its rows. */
final class CallOptions {
  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "128",
      description = "Ids a row (default ${DEFAULT-VALUE}).")
  int length;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads (default 0, all cores).")
  int threads;

  /**
   * @param batchSizes of --batch, whose default differs
   * @throws org.lathe.graphs.errors.ConfigException naming the option
   */
  void check(List<Integer> batchSizes) {
    for (int batchSize : batchSizes) {
      BaseCommand.requireAtLeast("--batch", batchSize, 1);
    }
    BaseCommand.requireAtLeast("--length", length, 1);
    BaseCommand.requireAtLeast("--threads", threads, 0);
  }
}
