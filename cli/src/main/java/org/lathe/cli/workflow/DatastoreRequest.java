package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lathe.cli.config.Overrides;

/** What can be asked of an external memory on disk. */
public sealed interface DatastoreRequest {
  /** Directory of the store. */
  Path store();

  /**
   * Which text goes in.
   *
   * @param split train, valid or test; not used where there are files
   * @param data prepared data of another corpus to split; else the run's own
   * @param files text as {@code lathe prepare} reads it
   */
  record Text(String split, Optional<Path> data, List<Path> files) {
    public Text {
      files = List.copyOf(files);
    }
  }

  /**
   * Makes a store.
   *
   * @param run whose model makes the keys
   * @param separateDocuments the model reads every document on its own
   * @param overrides changes to the run's configuration
   */
  record Build(Path store, Path run, Text text, boolean separateDocuments, Overrides overrides)
      implements DatastoreRequest {}

  /**
   * Adds a text to a store.
   *
   * @param run that the store was built from
   */
  record Add(Path store, Path run, Text text, Overrides overrides) implements DatastoreRequest {}

  /**
   * Removes documents.
   *
   * @param names of documents, each as it is
   * @param patterns over names, with * and ?
   * @param unfinished drop a text that is not finished
   */
  record Remove(Path store, List<String> names, List<String> patterns, boolean unfinished)
      implements DatastoreRequest {
    public Remove {
      names = List.copyOf(names);
      patterns = List.copyOf(patterns);
    }
  }

  /** Deletes the bytes of what was removed. */
  record Compact(Path store) implements DatastoreRequest {}

  /**
   * Says what is in a store.
   *
   * @param documents list them all
   */
  record Info(Path store, boolean documents) implements DatastoreRequest {}

  /** Checks every byte. */
  record Verify(Path store) implements DatastoreRequest {}
}
