package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Which files of a place are a checkpoint's.
 *
 * @param place as it was given
 * @param kind of the weights
 * @param weights file, or prefix of a tensor bundle
 * @param config config.json or bert_config.json, null where there is none
 * @param graph saved_model.pb, null where there is none
 * @param tokenizer tokenizer.json or vocab.txt, null where there is none
 */
record CheckpointFiles(
    Path place,
    Kind kind,
    Path weights,
    @Nullable Path config,
    @Nullable Path graph,
    @Nullable Path tokenizer) {
  enum Kind {
    SAFETENSORS,
    SHARDED,
    ONNX,
    BUNDLE
  }

  private static final String SAFETENSORS = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String GRAPH = "saved_model.pb";
  private static final String BUNDLE_INDEX = ".index";
  private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".pkl");

  /**
   * @throws ConfigException when there is no checkpoint there that Lathe reads
   * @throws CorruptFileException when a file of it is a symbolic link
   */
  static CheckpointFiles find(Storage storage, Path place) {
    refusePickle(place);
    if (storage.isDirectory(place)) {
      return inDirectory(storage, place);
    }
    Path directory = place.toAbsolutePath().getParent();
    String name = place.getFileName() == null ? "" : place.getFileName().toString();
    if (directory != null && storage.exists(place)) {
      if (name.endsWith(".onnx")) {
        return onnx(storage, place, place, directory);
      }
      if (name.endsWith(".safetensors")) {
        return besides(storage, place, Kind.SAFETENSORS, place, directory, null);
      }
      if (name.equals(GRAPH)) {
        return inDirectory(storage, directory);
      }
    }
    if (directory != null && storage.exists(directory.resolve(name + BUNDLE_INDEX))) {
      return besides(storage, place, Kind.BUNDLE, place, directory, null);
    }
    throw new ConfigException(
        place
            + " is no checkpoint that Lathe reads; give a directory with model.safetensors, an .onnx"
            + " file, a SavedModel, or the prefix of a TensorFlow checkpoint.");
  }

  TensorSource openWeights(Storage storage) {
    return switch (kind) {
      case SAFETENSORS -> SafetensorsReader.open(storage, weights);
      case SHARDED -> ShardedSafetensors.open(storage, weights);
      case ONNX -> OnnxReader.open(storage, weights);
      case BUNDLE -> BundleReader.open(storage, weights);
    };
  }

  private static CheckpointFiles inDirectory(Storage storage, Path directory) {
    Path whole = file(storage, directory, SAFETENSORS);
    if (whole != null) {
      return besides(storage, directory, Kind.SAFETENSORS, whole, directory, null);
    }
    Path index = file(storage, directory, INDEX);
    if (index != null) {
      return besides(storage, directory, Kind.SHARDED, index, directory, null);
    }
    Path graph = file(storage, directory, GRAPH);
    if (graph != null) {
      Path prefix = directory.resolve("variables").resolve("variables");
      return besides(storage, directory, Kind.BUNDLE, prefix, directory, graph);
    }
    List<Path> entries = IoGuard.call(storage, "list", directory, () -> storage.list(directory));
    List<Path> models =
        entries.stream().filter(entry -> entry.toString().endsWith(".onnx")).toList();
    if (models.size() == 1) {
      return onnx(storage, directory, models.get(0), directory);
    }
    entries.forEach(CheckpointFiles::refusePickle);
    throw new ConfigException(
        "%s holds neither %s, nor its index, nor %s, nor exactly one .onnx file (%d found); is it the right directory?"
            .formatted(directory, SAFETENSORS, GRAPH, models.size()));
  }

  private static CheckpointFiles onnx(Storage storage, Path place, Path model, Path directory) {
    PlainFile.requireNoLink(storage, model);
    String name = model.getFileName().toString();
    String stem = name.substring(0, name.length() - ".onnx".length());
    Path own = file(storage, directory, stem + "-tokenizer.json");
    CheckpointFiles files = besides(storage, place, Kind.ONNX, model, directory, null);
    return own == null
        ? files
        : new CheckpointFiles(place, Kind.ONNX, model, files.config(), null, own);
  }

  private static CheckpointFiles besides(
      Storage storage, Path place, Kind kind, Path weights, Path directory, @Nullable Path graph) {
    Path assets = directory.resolve("assets");
    Path config = first(storage, directory, "config.json", "bert_config.json");
    Path tokenizer = first(storage, directory, "tokenizer.json", "vocab.txt");
    if (graph != null) {
      config = config == null ? first(storage, assets, "bert_config.json", "config.json") : config;
      tokenizer =
          tokenizer == null ? first(storage, assets, "tokenizer.json", "vocab.txt") : tokenizer;
    }
    if (kind != Kind.BUNDLE) {
      PlainFile.requireNoLink(storage, weights);
      if (config == null && kind != Kind.ONNX) {
        throw new CorruptFileException(
            directory + " has no config.json beside its weights; download the whole checkpoint.");
      }
    }
    return new CheckpointFiles(place, kind, weights, config, graph, tokenizer);
  }

  private static @Nullable Path first(Storage storage, Path directory, String... names) {
    for (String name : names) {
      Path file = file(storage, directory, name);
      if (file != null) {
        return file;
      }
    }
    return null;
  }

  private static @Nullable Path file(Storage storage, Path directory, String name) {
    Path file = directory.resolve(name);
    if (!storage.exists(file) || storage.isDirectory(file)) {
      return null;
    }
    PlainFile.requireNoLink(storage, file);
    return file;
  }

  private static void refusePickle(Path file) {
    String name = String.valueOf(file.getFileName());
    if (PICKLES.stream().anyMatch(name::endsWith)) {
      throw new CorruptFileException(
          file
              + " is a Python pickle, which runs code when it is read, so Lathe does not; convert it"
              + " where it was made, with model.save_pretrained(DIR, safe_serialization=True), and"
              + " give DIR.");
    }
  }
}
