package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "remove",
    description = "Remove documents; no search finds them from then on.",
    footer = {"", "Example:", "  lathe datastore remove stores/tiny --pattern 'notes.txt*'"})
final class DatastoreRemoveCommand extends BaseCommand {
  @Parameters(index = "0", paramLabel = "STORE", description = "Directory of a datastore.")
  @SuppressWarnings("NullAway.Init") // required
  private Path store;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "DOC",
      description = "Names of documents, see 'lathe datastore info STORE --documents'.")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--pattern",
      paramLabel = "GLOB",
      description = "All documents whose name matches; * is any text, ? one character.")
  private List<String> patterns = new ArrayList<>();

  @Option(names = "--unfinished", description = "Drop a text whose build or add is not finished.")
  private boolean unfinished;

  @Option(names = "--dry-run", description = "Say what would be done, change nothing.")
  private boolean dryRun;

  DatastoreRemoveCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (names.isEmpty() && patterns.isEmpty() && !unfinished) {
      throw new ConfigException(
          "nothing to remove is named; give names of documents, --pattern GLOB or --unfinished");
    }
    DatastoreRequest request =
        new DatastoreRequest.Remove(existingStore(store), names, patterns, unfinished);
    return surroundings.workflows().get().datastore(request, context(dryRun));
  }
}
