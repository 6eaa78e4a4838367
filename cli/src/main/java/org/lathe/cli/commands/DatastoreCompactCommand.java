package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "compact",
    description = "Delete the bytes of removed documents.",
    footer = {"", "Example:", "  lathe datastore compact stores/tiny"})
final class DatastoreCompactCommand extends BaseCommand {
  @Parameters(paramLabel = "STORE", description = "Directory of a datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path store;

  @Option(names = "--dry-run", description = "Say what would be done, change nothing.")
  private boolean dryRun;

  DatastoreCompactCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    DatastoreRequest request = new DatastoreRequest.Compact(existingStore(store));
    return surroundings.workflows().get().datastore(request, context(dryRun));
  }
}
