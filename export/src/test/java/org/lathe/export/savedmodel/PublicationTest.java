package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.export.ExportFixtures;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Crash;
import org.lathe.training.files.Damage;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Manifest;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;

/** A version directory is whole or absent, whatever the disk does and whoever looks. */
final class PublicationTest {
  private static final TransformerConfig CONFIG =
      TransformerConfig.uniform(20, 8, 1, 1, 8, ExportFixtures.MAX_POSITIONS);

  /** An export takes too long to try every one of its operations. */
  private static final int NUM_FAULTS = 6;

  private final Storage disk = LocalStorage.INSTANCE;

  @TempDir Path root;

  @Test
  void survivesFailingOperations() {
    int numOperations = numOperations();
    for (int i = 0; i < NUM_FAULTS; i++) {
      int n = 1 + i * (numOperations - 1) / (NUM_FAULTS - 1);
      Path base = root.resolve("failed-" + n);
      FaultyStorage storage = new FaultyStorage(disk).failNth(n, false, "Input/output error");
      boolean failed = false;
      try {
        export(storage, base, 1);
      } catch (FailedException e) {
        assertThat(e).hasMessageContaining("Input/output error");
        failed = true;
      }
      assertThat(storage.fired()).isTrue();
      assertThat(failed).as("operation %s", n).isTrue();
      assertThat(storage.numOpenHandles()).as("operation %s", n).isZero();
      // the last operation forces the new name, when the directory is there already
      assertThat(names(base)).as("operation %s", n).isSubsetOf(n < numOperations ? "" : "1");
      assertThat(wholeVersions(base)).hasSameSizeAs(names(base));
    }
  }

  @Test
  void survivesLossOfPower() {
    int numOperations = numOperations();
    int numFaults = NUM_FAULTS / 2;
    for (int i = 0; i < numFaults; i++) {
      int n = numOperations - i * numOperations / numFaults;
      Path base = root.resolve("crashed-" + n);
      Damage damage = Damage.values()[i % Damage.values().length];
      FaultyStorage storage = new FaultyStorage(disk).crashAfterNth(n, damage, i % 2 == 0);
      try {
        export(storage, base, 1);
      } catch (Crash expected) {
        assertThat(storage.fired()).isTrue();
      }
      StagedDirectory.sweep(disk, base);
      assertThat(wholeVersions(base)).as("operation %s", n).hasSameSizeAs(names(base));
    }
  }

  @Test
  void whoPollsSeesWholeVersionsOnly() throws Exception {
    Path base = root.resolve("polled");
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Future<Set<String>> poller =
          executor.submit(
              () -> {
                Set<String> seen = new TreeSet<>();
                boolean lastRound;
                do {
                  // looked at first, so that one round follows the last publication
                  lastRound = done.get();
                  seen.addAll(wholeVersions(base));
                  Thread.sleep(1);
                } while (!lastRound);
                return seen;
              });
      for (int version = 1; version <= 5; version++) {
        export(disk, base, version);
      }
      done.set(true);
      assertThat(poller.get(1, TimeUnit.MINUTES)).containsExactly("1", "2", "3", "4", "5");
    } finally {
      done.set(true);
      executor.shutdown();
    }
  }

  private int numOperations() {
    FaultyStorage storage = new FaultyStorage(disk);
    export(storage, root.resolve("counted"), 1);
    return storage.trace().size();
  }

  private static void export(Storage storage, Path base, long version) {
    LanguageModelExporter.export(
        storage,
        ExportRequest.of(
            CONFIG,
            ExportFixtures.memory(MemoryObjective.LOCAL, CONFIG),
            ExportFixtures.randomWeights(CONFIG, version),
            base,
            version));
  }

  /** Names of numeric directories, each after a check of every file in it. */
  private List<String> wholeVersions(Path base) {
    List<String> versions = names(base).stream().filter(name -> name.matches("[0-9]+")).toList();
    for (String version : versions) {
      Manifest.verified(disk, base.resolve(version), ModelVerifier.MANIFEST_KIND);
    }
    return versions;
  }

  private static List<String> names(Path base) {
    try (Stream<Path> entries = Files.list(base)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
