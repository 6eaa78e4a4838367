package org.lathe.cli.commands;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.Overrides;
import picocli.CommandLine.Option;

/** Options of every command that works under a configuration, its own or that of a run. */
final class RunOptions {
  @Option(
      names = "--set",
      paramLabel = "SECTION.KEY=VALUE",
      description = "Change one key of the configuration; may be repeated.")
  private List<String> assignments = new ArrayList<>();

  @Option(names = "--seed", paramLabel = "N", description = "Seed of all randomness.")
  private @Nullable Long seed;

  @Option(names = "--threads", paramLabel = "N", description = "Threads; 0 = one per core.")
  private @Nullable Integer threads;

  @Option(
      names = "--dry-run",
      description = "Check everything, print shapes and estimates, change nothing.")
  boolean dryRun;

  Overrides overrides() {
    Overrides overrides = new Overrides(assignments);
    if (seed != null) {
      overrides = overrides.with("seed=" + seed);
    }
    return threads == null ? overrides : overrides.with("threads=" + threads);
  }
}
