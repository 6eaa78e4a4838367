package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.PruneRequest;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "prune",
    description = "Remove what a model can do without, then fine-tune the slim model.",
    footer = {
      "",
      "Example:",
      "  lathe prune --preset tiny --teacher runs/tiny --run runs/tiny-slim \\",
      "      --set data.directory=data/docs --set pruning.target.speedup=2"
    })
final class PruneCommand extends BaseCommand {
  @Mixin private ConfigOptions config = new ConfigOptions();

  @Option(
      names = "--run",
      required = true,
      paramLabel = "DIR",
      description = "Directory of the new run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--teacher",
      required = true,
      paramLabel = "RUN",
      description = "Finished run whose model is pruned, and which teaches.")
  @SuppressWarnings("NullAway.Init") // required
  private Path teacher;

  PruneCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    RunConfig read = config.read(surroundings.storage());
    existingRun(teacher);
    if (run.toAbsolutePath().normalize().equals(teacher.toAbsolutePath().normalize())) {
      throw new ConfigException(
          "--run and --teacher are both " + run + "; give the pruned model a directory of its own");
    }
    return surroundings
        .workflows()
        .get()
        .prune(new PruneRequest(read, run, teacher), context(config.dryRun()));
  }
}
