package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.Storage;
import picocli.CommandLine.Option;

/** Which text goes into a datastore: a part of the run's data, or files. */
final class TextOptions {
  private static final List<String> SPLITS = List.of("train", "valid", "test");

  @Option(
      names = "--split",
      paramLabel = "S",
      description = "train, valid or test of the run's data; default: train.")
  private @Nullable String split;

  @Option(
      names = "--text",
      split = ",",
      paramLabel = "FILE",
      description = "Text files, directories or jars instead, read as by 'lathe prepare'.")
  private List<Path> files = new ArrayList<>();

  DatastoreRequest.Text text(Storage storage) {
    if (split != null && !files.isEmpty()) {
      throw new ConfigException("--split and --text exclude each other; add one after the other");
    }
    if (split != null && !SPLITS.contains(split)) {
      throw new ConfigException("--split is " + split + "; expected train, valid or test");
    }
    for (Path file : files) {
      if (!storage.exists(file)) {
        throw new ConfigException("--text names " + file + ", which does not exist");
      }
    }
    return new DatastoreRequest.Text(split == null ? "train" : split, files);
  }
}
