package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.TrainRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "train",
    description = "Train a model; the same command again resumes where it stopped.",
    footer = {
      "",
      "Example:",
      "  lathe train --preset tiny --set data.directory=data/docs --run runs/tiny"
    })
final class TrainCommand extends BaseCommand {
  @Mixin private ConfigOptions config = new ConfigOptions();

  @Option(
      names = "--run",
      required = true,
      paramLabel = "DIR",
      description = "Directory of the run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  TrainCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    RunConfig read = config.read(surroundings.storage());
    if (!read.task().usesEncoder()) {
      existingDirectory(
          Path.of(read.data().directory()),
          "prepared data",
          "make it with 'lathe prepare CONFIG', or name it with --set data.directory=DIR");
    }
    return surroundings
        .workflows()
        .get()
        .train(new TrainRequest(read, run), context(config.dryRun()));
  }
}
