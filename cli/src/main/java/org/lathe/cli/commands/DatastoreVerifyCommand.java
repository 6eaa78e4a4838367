package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "verify",
    description = "Check every byte of a datastore.",
    footer = {"", "Example:", "  lathe datastore verify stores/tiny"})
final class DatastoreVerifyCommand extends BaseCommand {
  @Parameters(paramLabel = "STORE", description = "Directory of a datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path store;

  DatastoreVerifyCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    DatastoreRequest request = new DatastoreRequest.Verify(existingStore(store));
    return surroundings.workflows().get().datastore(request, context(false));
  }
}
