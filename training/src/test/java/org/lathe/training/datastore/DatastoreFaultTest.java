package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Crash;
import org.lathe.training.files.Damage;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Everything that can go wrong does, one at a time, at every operation on the disk. */
class DatastoreFaultTest {
  private static final String REASON = "Input/output error";

  @TempDir Path root;

  /** Without faults; unlike the disk itself it does not wait for syncs. */
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);

  private final SourceText text = Stores.text("text", new Random(1), 40, 1, 50, 45);
  private final SourceText more = Stores.text("more", new Random(2), 30, 60);

  /** What is done to a store; the same call again repairs or continues. */
  private interface Work {
    void on(Storage storage, Path directory);
  }

  private void build(Storage storage, Path directory) {
    Stores.build(storage, directory, text);
  }

  private void add(Storage storage, Path directory) {
    Stores.add(storage, directory, more);
  }

  private static void remove(Storage storage, Path directory) {
    new DatastoreEditor(storage, directory).remove(DocumentPattern.name("text-2"), false);
  }

  private static void compact(Storage storage, Path directory) {
    new DatastoreEditor(storage, directory).compact((what, done, total) -> {});
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anInterruptedBuildEndsWithTheSameBytes(boolean persistent) {
    everyFailure(null, this::build, persistent, 50);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anInterruptedAddEndsWithTheSameBytes(boolean persistent) {
    everyFailure(built("template"), this::add, persistent, 50);
  }

  @Test
  void removalsAndCompactionsHoldOrDoNot() {
    Path template = built("template");
    everyFailure(template, DatastoreFaultTest::remove, false, 15);
    remove(disk, template);
    everyFailure(template, DatastoreFaultTest::compact, false, 40);
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void lossOfPowerWhileBuildingAndCompacting(Damage damage) {
    everyCrash(null, this::build, damage, damage == Damage.DELETED ? 3 : 11);
    Path template = built("template");
    remove(disk, template);
    everyCrash(template, DatastoreFaultTest::compact, damage, 11);
  }

  private Path built(String name) {
    Path template = root.resolve(name);
    Stores.build(disk, template, text);
    return template;
  }

  private void everyFailure(@Nullable Path template, Work work, boolean persistent, int atLeast) {
    Map<String, byte[]> expected = straight(template, work);
    for (int n = 1; ; n++) {
      Path directory = start(template, "failure-" + n);
      FaultyStorage faulty = new FaultyStorage(disk).failNth(n, persistent, REASON);
      boolean worked = false;
      try {
        work.on(faulty, directory);
        worked = true;
      } catch (FailedException e) {
        assertThat(e).as("operation %s", n).hasMessageContaining(REASON);
      }
      assertThat(faulty.numOpenHandles()).as("operation %s", n).isZero();
      finish(template, directory, work, worked, n, expected);
      if (!faulty.fired()) {
        assertThat(worked).isTrue();
        assertThat(n).isGreaterThan(atLeast);
        return;
      }
    }
  }

  private void everyCrash(@Nullable Path template, Work work, Damage damage, int step) {
    Map<String, byte[]> expected = straight(template, work);
    for (int n = 1; ; n += step) {
      Path directory = start(template, "crash-" + n);
      FaultyStorage faulty = new FaultyStorage(disk).crashAfterNth(n, damage, n % 2 == 0);
      boolean worked = false;
      try {
        work.on(faulty, directory);
        worked = true;
      } catch (Crash e) {
        assertThat(e).hasMessageContaining("power");
      }
      finish(template, directory, work, worked, n, expected);
      if (!faulty.fired()) {
        return;
      }
    }
  }

  /** Whatever happened, what is there is sound, and the same work ends as if nothing had. */
  private void finish(
      @Nullable Path template,
      Path directory,
      Work work,
      boolean worked,
      int n,
      Map<String, byte[]> expected) {
    if (worked || template != null) {
      DatastoreCheck.verify(disk, directory, (what, done, total) -> {});
    }
    work.on(disk, directory);
    DatastoreCheck.verify(disk, directory, (what, done, total) -> {});
    Map<String, byte[]> found = Stores.files(directory);
    assertThat(found.keySet()).as("operation %s", n).isEqualTo(expected.keySet());
    found.forEach(
        (name, bytes) ->
            assertThat(bytes).as("%s after operation %s", name, n).isEqualTo(expected.get(name)));
  }

  private Map<String, byte[]> straight(@Nullable Path template, Work work) {
    Path directory = start(template, "straight");
    work.on(disk, directory);
    return Stores.files(directory);
  }

  private Path start(@Nullable Path template, String name) {
    Path directory = root.resolve(name + "-" + System.nanoTime());
    if (template != null) {
      Stores.copy(template, directory);
    }
    return directory;
  }
}
