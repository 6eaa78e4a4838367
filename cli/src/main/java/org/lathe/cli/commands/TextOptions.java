package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.workflow.DatastoreRequest;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.Storage;
import picocli.CommandLine.Option;

/** Which text goes into a datastore: a part of the run's data or of other data, or files. */
final class TextOptions {
  private static final List<String> SPLITS = List.of("train", "valid", "test");

  @Option(
      names = "--split",
      paramLabel = "S",
      description = "train, valid or test of the run's data; default: train.")
  private @Nullable String split;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Prepared data of another corpus, with the run's tokenizer, to split.")
  private @Nullable Path data;

  @Option(
      names = "--text",
      split = ",",
      paramLabel = "FILE",
      description = "Text files, directories or jars instead, read as by 'lathe prepare'.")
  private List<Path> files = new ArrayList<>();

  DatastoreRequest.Text text(Storage storage) {
    if ((split != null || data != null) && !files.isEmpty()) {
      throw new ConfigException(
          (split == null ? "--data" : "--split")
              + " and --text exclude each other; add one after the other");
    }
    if (data != null && !storage.exists(data)) {
      throw new ConfigException(
          "--data names " + data + ", which does not exist; make it with 'lathe prepare'");
    }
    if (split != null && !SPLITS.contains(split)) {
      throw new ConfigException("--split is " + split + "; expected train, valid or test");
    }
    for (Path file : files) {
      if (!storage.exists(file)) {
        throw new ConfigException("--text names " + file + ", which does not exist");
      }
    }
    return new DatastoreRequest.Text(
        split == null ? "train" : split, Optional.ofNullable(data), files);
  }
}
