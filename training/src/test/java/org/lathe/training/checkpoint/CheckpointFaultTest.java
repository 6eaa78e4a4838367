package org.lathe.training.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.checkpoint.CheckpointStore.Checkpoint;
import org.lathe.training.files.Crash;
import org.lathe.training.files.Damage;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Saves step 10 over steps 3 and 5 while everything that can go wrong does, one at a time. */
class CheckpointFaultTest {
  @TempDir Path root;

  /** Without faults; unlike the disk itself it does not wait for syncs. */
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void survivesEverySingleFailure(boolean persistent) {
    for (int n = 1; ; n++) {
      Path run = runWithTwo(n);
      FaultyStorage storage = new FaultyStorage(disk).failNth(n, persistent, "Input/output error");
      boolean saved = save(run, storage, "Input/output error", n);
      assertThat(storage.numOpenHandles()).as("operation %s", n).isZero();
      assertRecovered(run, saved ? 10 : 5, 10, n);
      if (!storage.fired()) {
        assertThat(saved).isTrue();
        assertThat(n).isGreaterThan(30);
        return;
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void survivesLossOfPower(Damage damage) {
    for (boolean keepRenames : new boolean[] {false, true}) {
      int numSurvivors = 0;
      // every point once; with kept renames, which are the milder case, every third
      for (int n = 1; ; n += keepRenames ? 3 : 1) {
        Path run = runWithTwo(n);
        FaultyStorage storage = new FaultyStorage(disk).crashAfterNth(n, damage, keepRenames);
        boolean saved;
        try {
          saved = save(run, storage, "", n);
        } catch (Crash e) {
          saved = false;
        }
        assertThat(storage.numOpenHandles()).as("operation %s", n).isZero();
        numSurvivors += assertRecovered(run, saved ? 10 : 5, 10, n) == 10 ? 1 : 0;
        if (!storage.fired()) {
          assertThat(saved).isTrue();
          break;
        }
      }
      // some crashes come after the commit
      assertThat(numSurvivors).isGreaterThan(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFullDiskKeepsTheLastGoodOne(boolean known) {
    for (int quotaBytes = 0; ; quotaBytes += known ? 9_000 : 40) {
      Path run = runWithTwo(quotaBytes);
      FaultyStorage storage = new FaultyStorage(disk).quotaBytes(quotaBytes);
      if (known) {
        storage.showQuota();
      }
      String reason = known ? ", free " + quotaBytes + " bytes" : "No space left on device";
      boolean saved = save(run, storage, reason, quotaBytes);
      assertRecovered(run, saved ? 10 : 5, saved ? 10 : 5, quotaBytes);
      if (saved) {
        assertThat(quotaBytes).isGreaterThan(500);
        return;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFailingReadNeverFallsBackToOlderWork(boolean persistent) {
    Path run = runWithTwo(0);
    for (int n = 1; ; n++) {
      FaultyStorage storage = new FaultyStorage(disk).failNth(n, persistent, "Input/output error");
      try {
        Checkpoint latest = store(run, storage).latest().orElseThrow();
        assertThat(latest.step()).as("operation %s", n).isEqualTo(5);
      } catch (FailedException e) {
        assertThat(e).hasMessageContaining("Input/output error");
      }
      assertThat(storage.numOpenHandles()).as("operation %s", n).isZero();
      if (!storage.fired()) {
        return;
      }
    }
  }

  /** The test kit itself: a writer that forgets to force must be caught. */
  @Test
  void theKitCatchesAWriterThatForgetsToForce() throws IOException {
    FaultyStorage storage = new FaultyStorage(disk).crashAfterNth(3, Damage.HALF_TRUNCATED, false);
    Path file = root.resolve("careless");
    try (var out = storage.create(file)) {
      out.write(new byte[100]);
      out.close();
      fail("no crash");
    } catch (Crash e) {
      assertThat(Files.size(file)).isEqualTo(50);
    }
    storage = new FaultyStorage(disk).crashAfterNth(1, Damage.UNCHANGED, false);
    try {
      storage.move(file, root.resolve("renamed"));
      fail("no crash");
    } catch (Crash e) {
      assertThat(file).exists();
    }
  }

  private boolean save(Path run, FaultyStorage storage, String reason, int fault) {
    try {
      store(run, storage).save(10, CheckpointStoreTest.weights(10), Map.of("a", 1), "h");
      return true;
    } catch (FailedException e) {
      assertThat(e)
          .as("fault %s", fault)
          .hasMessageContaining(reason)
          .hasMessageContaining(run.toString());
      return false;
    }
  }

  /** A start on the mended disk: no leftovers, and the newest checkpoint is whole. */
  private long assertRecovered(Path run, long atLeast, long atMost, int fault) {
    CheckpointStore store = store(run, disk);
    assertThat(CheckpointStoreTest.names(run.resolve("checkpoints")))
        .as("fault %s", fault)
        .allMatch(name -> name.startsWith("step-"));
    Checkpoint latest = store.latest().orElseThrow();
    assertThat(latest.step()).as("fault %s", fault).isBetween(atLeast, atMost);
    assertThat(store.read(latest).get("w").values())
        .isEqualTo(CheckpointStoreTest.weights(latest.step()).get("w").values());
    if (fault % 5 == 0) {
      // and work goes on
      store.save(11, CheckpointStoreTest.weights(11), Map.of(), "h");
      assertThat(store.latest().orElseThrow().step()).isEqualTo(11);
    }
    return latest.step();
  }

  private Path runWithTwo(int n) {
    Path run = root.resolve("run-" + n + "-" + System.nanoTime());
    Path template = root.resolve("template");
    if (!disk.exists(template)) {
      for (long step : new long[] {3, 5}) {
        store(template, disk).save(step, CheckpointStoreTest.weights(step), Map.of(), "h");
      }
    }
    try (Stream<Path> paths = Files.walk(template)) {
      for (Path path : paths.toList()) {
        Files.copy(path, run.resolve(template.relativize(path).toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return run;
  }

  private static CheckpointStore store(Path run, Storage storage) {
    return new CheckpointStore(storage, run, 2, new PlainFiles());
  }
}
