package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "add",
    description = "Add a text to a datastore; the same command again resumes.",
    footer = {"", "Example:", "  lathe datastore add stores/tiny runs/tiny --text notes.txt"})
final class DatastoreAddCommand extends BaseCommand {
  @Parameters(index = "0", paramLabel = "STORE", description = "Directory of a datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path store;

  @Parameters(index = "1", paramLabel = "RUN", description = "The run that it was built from.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Mixin private TextOptions text = new TextOptions();
  @Mixin private RunOptions options = new RunOptions();

  DatastoreAddCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    DatastoreRequest request =
        new DatastoreRequest.Add(
            existingStore(store),
            existingRun(run),
            text.text(surroundings.storage()),
            options.overrides());
    return surroundings.workflows().get().datastore(request, context(options.dryRun));
  }
}
