package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "build",
    description = "Make a datastore from a text; the same command again resumes.",
    footer = {"", "Example:", "  lathe datastore build runs/tiny --out stores/tiny"})
final class DatastoreBuildCommand extends BaseCommand {
  @Parameters(paramLabel = "RUN", description = "Directory of the run whose model makes the keys.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "STORE",
      description = "Directory of the datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path out;

  @Option(
      names = "--separate-documents",
      description = "Read every document on its own, so that no key has seen another document.")
  private boolean separateDocuments;

  @Mixin private TextOptions text = new TextOptions();
  @Mixin private RunOptions options = new RunOptions();

  DatastoreBuildCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    DatastoreRequest request =
        new DatastoreRequest.Build(
            out,
            existingRun(run),
            text.text(surroundings.storage()),
            separateDocuments,
            options.overrides());
    return surroundings.workflows().get().datastore(request, context(options.dryRun));
  }
}
