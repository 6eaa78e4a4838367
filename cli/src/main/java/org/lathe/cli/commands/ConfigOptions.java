package org.lathe.cli.commands;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.Storage;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A configuration: a YAML file, a preset, or a file on top of a preset. */
final class ConfigOptions {
  @Parameters(
      arity = "0..1",
      paramLabel = "CONFIG",
      description = "YAML file; see 'lathe presets defaults' for every key.")
  private @Nullable Path file;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "Start from a preset; see 'lathe presets'.")
  private @Nullable String preset;

  @Mixin private RunOptions run = new RunOptions();

  RunConfig read(Storage storage) {
    if (file == null && preset == null) {
      throw new ConfigException(
          "no configuration given; name a YAML file, or a preset with --preset (see 'lathe"
              + " presets')");
    }
    return new RunConfigReader(storage).read(file, preset, run.overrides());
  }

  boolean dryRun() {
    return run.dryRun;
  }
}
