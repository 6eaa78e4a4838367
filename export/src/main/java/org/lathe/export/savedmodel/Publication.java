package org.lathe.export.savedmodel;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.ImmutableSortedMap;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.VersionFiles;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.format.WarmupRequest;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.TensorBundle;
import org.tensorflow.Tensor;
import org.tensorflow.exceptions.TensorFlowException;

/**
 * Makes a version directory appear whole or not at all: it is built hidden beside its place, opened
 * and checked as {@link ModelVerifier} does, and renamed once.
 */
final class Publication {
  private static final ImmutableSet<String> RESERVED_ASSETS =
      ImmutableSet.of(
          VersionFiles.CARD,
          VersionFiles.SIGNATURE,
          VersionFiles.REFERENCE,
          "tf_serving_warmup_requests");

  /** Room for everything but weights and graph. */
  private static final long SMALL_FILES_BYTES = 1L << 20;

  private static final int COPY_BUFFER_BYTES = 1 << 16;

  private Publication() {}

  /** Files that only one kind of model has. */
  interface OwnFiles {
    void write(Storage storage, Path versionDirectory);
  }

  /**
   * What is in a version directory.
   *
   * @param weights of the model
   * @param roundingDifference largest difference of an output to the model that has its weights as
   *     they were trained
   * @param others variables beside it, by name
   * @param graph the bytes of saved_model.pb
   * @param warmup requests that a server replays first
   * @param facts of the signature card and the manifest
   * @param card for people
   * @param assets files to copy, by the name they get in assets.extra
   * @param ownFiles the recorded outputs at least
   */
  record Contents(
      PackedWeights weights,
      double roundingDifference,
      Map<String, Tensor> others,
      byte[] graph,
      List<WarmupRequest> warmup,
      Map<String, Object> facts,
      String card,
      Map<String, Path> assets,
      OwnFiles ownFiles) {

    long othersBytes() {
      return others.values().stream().mapToLong(Tensor::numBytes).sum();
    }
  }

  /** The same, sorted, after a check that all will lie in assets.extra itself. */
  static Map<String, Path> requirePlainNames(Map<String, Path> assets) {
    for (String name : assets.keySet()) {
      Preconditions.checkArgument(
          name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*"),
          "asset name '%s' must be a plain file name",
          name);
    }
    return ImmutableSortedMap.copyOf(assets);
  }

  /**
   * @param ownFile what this kind of model has besides
   * @throws ConfigException when an asset has a name that the exporter uses
   */
  static void requireFreeNames(Map<String, Path> assets, String ownFile) {
    for (String name : assets.keySet()) {
      if (RESERVED_ASSETS.contains(name) || name.equals(ownFile)) {
        throw new ConfigException(
            "The asset name '" + name + "' is used by the exporter itself. Choose another one.");
      }
    }
  }

  /**
   * @param baseDirectory the directory that a server watches, models/NAME
   * @throws FailedException when the version exists, the disk fails, or the model does not answer
   *     as recorded; nothing is published then
   */
  static ExportedModel publish(
      Storage storage, Path baseDirectory, long version, Contents contents) {
    Path target = baseDirectory.resolve(Long.toString(version));
    PackedWeights weights = contents.weights();
    long estimatedBytes =
        contents.othersBytes()
            + weights.numBytes()
            + contents.graph().length
            + assetBytes(storage, contents.assets())
            + SMALL_FILES_BYTES;
    double maxDifference;
    long sizeBytes;
    try (StagedDirectory staged = StagedDirectory.begin(storage, target, estimatedBytes)) {
      Path directory = staged.path();
      write(storage, directory, contents);
      maxDifference = ModelVerifier.verifyContents(storage, directory).maxDifference();
      // before the commit: what follows it could fail although the model is published
      sizeBytes = treeBytes(storage, directory);
      staged.commit(ModelVerifier.MANIFEST_KIND, contents.facts());
    }
    return new ExportedModel(
        target,
        version,
        weights.rounded().names().size(),
        weights.rounded().numValues(),
        contents.othersBytes(),
        sizeBytes,
        maxDifference,
        contents.roundingDifference());
  }

  private static void write(Storage storage, Path directory, Contents contents) {
    Path extra = directory.resolve(VersionFiles.EXTRA);
    createDirectory(storage, directory.resolve("variables"));
    createDirectory(storage, extra);
    writeVariables(directory, contents);
    write(storage, directory.resolve(SavedModelInspector.FILE), contents.graph());
    WarmupFile.write(storage, directory.resolve(WarmupFile.PATH), contents.warmup());
    contents.ownFiles().write(storage, directory);
    JsonFile.write(storage, extra.resolve(VersionFiles.SIGNATURE), contents.facts());
    write(
        storage,
        extra.resolve(VersionFiles.CARD),
        contents.card().getBytes(StandardCharsets.UTF_8));
    for (Map.Entry<String, Path> asset : contents.assets().entrySet()) {
      copy(storage, asset.getValue(), extra.resolve(asset.getKey()));
    }
  }

  private static void writeVariables(Path directory, Contents contents) {
    try {
      TensorBundle.write(
          directory.resolve("variables").resolve("variables"),
          contents.weights().plain(),
          ImmutableMap.<String, Tensor>builder()
              .putAll(contents.weights().tensors())
              .putAll(contents.others())
              .buildOrThrow());
    } catch (TensorFlowException e) {
      throw new FailedException(
          "Cannot write the variables into " + directory + ": " + e.getMessage(), e);
    }
  }

  private static long treeBytes(Storage storage, Path directory) {
    long sum = 0;
    for (Path path : IoGuard.call(storage, "list", directory, () -> storage.list(directory))) {
      sum +=
          storage.isDirectory(path)
              ? treeBytes(storage, path)
              : IoGuard.call(storage, "read", path, () -> storage.size(path));
    }
    return sum;
  }

  private static long assetBytes(Storage storage, Map<String, Path> assets) {
    long sum = 0;
    for (Path file : assets.values()) {
      sum += IoGuard.call(storage, "read", file, () -> storage.size(file));
    }
    return sum;
  }

  private static void createDirectory(Storage storage, Path directory) {
    IoGuard.run(storage, "create", directory, () -> storage.createDirectories(directory));
  }

  private static void write(Storage storage, Path file, byte[] bytes) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            out.write(bytes);
          }
        });
  }

  private static void copy(Storage storage, Path source, Path target) {
    IoGuard.run(storage, "copy", source, () -> copyBytes(storage, source, target));
  }

  private static void copyBytes(Storage storage, Path source, Path target) throws IOException {
    try (InputStream in = storage.open(source);
        OutputStream out = storage.create(target)) {
      byte[] buffer = new byte[COPY_BUFFER_BYTES];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        out.write(buffer, 0, read);
      }
    }
  }
}
