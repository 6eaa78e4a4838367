package org.lathe.training.datastore;

import java.nio.file.Path;
import java.util.Random;
import org.lathe.training.files.LocalStorage;

/** A child process of {@link KilledBuildTest}: builds a store, slowly enough to be killed. */
final class KilledBuild {
  private static final long RUN_MS = 12;

  private KilledBuild() {}

  static SourceText text() {
    return Stores.text("text", new Random(9), new Random(10).ints(40, 20, 120).toArray());
  }

  static void build(Path directory, long runMs) {
    Stores.builder(LocalStorage.INSTANCE, directory, Stores.identity())
        .run(text(), new FakeEncoder(3, runMs), (what, done, total) -> {}, () -> false);
  }

  public static void main(String[] args) {
    build(Path.of(args[0]), RUN_MS);
  }
}
