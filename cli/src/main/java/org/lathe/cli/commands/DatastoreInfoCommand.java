package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "info",
    description = "Say what is in a datastore and which model it belongs to.",
    footer = {"", "Example:", "  lathe datastore info stores/tiny --documents"})
final class DatastoreInfoCommand extends BaseCommand {
  @Parameters(paramLabel = "STORE", description = "Directory of a datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path store;

  @Option(names = "--documents", description = "List the documents.")
  private boolean documents;

  DatastoreInfoCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    DatastoreRequest request = new DatastoreRequest.Info(existingStore(store), documents);
    return surroundings.workflows().get().datastore(request, context(false));
  }
}
