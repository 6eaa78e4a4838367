package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.ExportRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = "Publish the model of a run as a verified, versioned SavedModel.",
    footer = {"", "Example:", "  lathe export runs/tiny-slim --out models/tiny"})
final class ExportCommand extends BaseCommand {
  @Parameters(paramLabel = "RUN", description = "Directory of a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "models/NAME",
      description = "Directory of the model; versions lie below it.")
  @SuppressWarnings("NullAway.Init") // required
  private Path out;

  @Option(
      names = "--version",
      paramLabel = "N",
      description = "Version to publish; default: one more than the highest there.")
  private @Nullable Long version;

  @Mixin private RunOptions options = new RunOptions();

  ExportCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (version != null && version < 1) {
      throw new ConfigException("--version is " + version + "; expected a whole number from 1");
    }
    ExportRequest request =
        new ExportRequest(
            existingRun(run),
            out,
            version == null ? OptionalLong.empty() : OptionalLong.of(version),
            options.overrides());
    return surroundings.workflows().get().export(request, context(options.dryRun));
  }
}
