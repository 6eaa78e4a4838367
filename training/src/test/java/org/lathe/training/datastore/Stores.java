package org.lathe.training.datastore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.lathe.training.files.Storage;

/** Small stores, and what lies in their directories. */
final class Stores {
  static final int VOCABULARY_SIZE = 50;

  /** A store goes through many chunks and segments although it is small. */
  static final int CHUNK_ITEMS = 40;

  private Stores() {}

  static StoreIdentity identity(int width, int window, int stride, boolean separate) {
    return new StoreIdentity(
        width,
        NeighborSearch.Metric.INNER_PRODUCT,
        0.5,
        VOCABULARY_SIZE,
        window,
        stride,
        separate,
        "a".repeat(64),
        "b".repeat(64));
  }

  static StoreIdentity identity() {
    return identity(3, 12, 5, false);
  }

  /** Documents of these lengths, named NAME-0 and so on. */
  static SourceText text(String name, Random random, int... lengths) {
    List<String> ids = new ArrayList<>();
    List<int[]> documents = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      ids.add(name + "-" + i);
      documents.add(random.ints(lengths[i], 0, VOCABULARY_SIZE).toArray());
    }
    return SourceText.of(name, ids, documents);
  }

  static DatastoreBuilder builder(Storage storage, Path directory, StoreIdentity identity) {
    return DatastoreBuilder.forNew(storage, directory, identity, CHUNK_ITEMS);
  }

  static DatastoreBuilder.Ending build(Storage storage, Path directory, SourceText text) {
    return build(storage, directory, identity(), text);
  }

  static DatastoreBuilder.Ending build(
      Storage storage, Path directory, StoreIdentity identity, SourceText text) {
    return run(builder(storage, directory, identity), text);
  }

  static DatastoreBuilder.Ending add(Storage storage, Path directory, SourceText text) {
    return run(
        DatastoreBuilder.forAdding(storage, directory, "a".repeat(64), "b".repeat(64), "runs/test"),
        text);
  }

  private static DatastoreBuilder.Ending run(DatastoreBuilder builder, SourceText text) {
    return builder.run(
        text, new FakeEncoder(builder.identity().width()), (what, done, total) -> {}, () -> false);
  }

  /** Every file below with its bytes; locks and trash are no content. */
  static Map<String, byte[]> files(Path directory) {
    Map<String, byte[]> files = new TreeMap<>();
    if (!Files.exists(directory)) {
      return files;
    }
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        if (!path.getFileName().toString().startsWith(".")) {
          files.put(directory.relativize(path).toString(), Files.readAllBytes(path));
        }
      }
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many there are, while somebody else may be writing: what vanishes meanwhile is not one. */
  static int count(Path directory) {
    String[] names = directory.toFile().list();
    if (names == null) {
      return Files.exists(directory) ? 1 : 0;
    }
    int number = 0;
    for (String name : names) {
      number += count(directory.resolve(name));
    }
    return number;
  }

  static void copy(Path from, Path to) {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
