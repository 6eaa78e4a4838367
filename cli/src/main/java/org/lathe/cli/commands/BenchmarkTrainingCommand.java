package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.workflow.BenchmarkTrainingRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "training",
    description = "Time training steps of a configuration beside a changed one, in turns.",
    footer = {
      "",
      "Example:",
      "  lathe benchmark training --preset demo --set data.directory=data/docs \\",
      "    --against memory.objective=none"
    })
final class BenchmarkTrainingCommand extends BaseCommand {
  @Parameters(arity = "0..1", paramLabel = "CONFIG", description = "YAML file.")
  private @Nullable Path file;

  @Option(names = "--preset", paramLabel = "NAME", description = "Start from a preset.")
  private @Nullable String preset;

  @Mixin private RunOptions run = new RunOptions();

  @Option(
      names = "--against",
      required = true,
      paramLabel = "SECTION.KEY=VALUE",
      description = "What is different in the alternative; may be repeated.")
  private List<String> against = new ArrayList<>();

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "50",
      description = "Timed steps of each (default ${DEFAULT-VALUE}).")
  private int steps;

  BenchmarkTrainingCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (file == null && preset == null) {
      throw new ConfigException("no configuration given; name a YAML file or a preset");
    }
    if (steps < 1) {
      throw new ConfigException("--steps is " + steps + "; expected at least 1");
    }
    RunConfigReader reader = new RunConfigReader(surroundings.storage());
    RunConfig config = reader.read(file, preset, run.overrides());
    Overrides changed = run.overrides();
    for (String assignment : against) {
      changed = changed.with(assignment);
    }
    RunConfig alternative = reader.read(file, preset, changed);
    existingDirectory(
        Path.of(config.data().directory()),
        "prepared data",
        "make it with 'lathe prepare CONFIG', or name it with --set data.directory=DIR");
    return surroundings
        .workflows()
        .get()
        .benchmarkTraining(
            new BenchmarkTrainingRequest(config, alternative, List.copyOf(against), steps),
            context(run.dryRun));
  }
}
