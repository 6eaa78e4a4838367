package org.lathe.training.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.FailedException;

class RunLockTest {
  @TempDir Path root;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void oneAtATime() {
    Path run = root.resolve("run");
    try (RunLock lock = RunLock.acquire(disk, run)) {
      assertThat(lock).isNotNull();
      assertThat(run.resolve(".lock")).exists();
      assertThatThrownBy(() -> RunLock.acquire(disk, run))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining(run + " is in use by process " + ProcessHandle.current().pid());
    }
    assertThat(run.resolve(".lock")).doesNotExist();
    RunLock.acquire(disk, run).close();
  }

  @Test
  void aLivingProcessKeepsItsLock() throws Exception {
    Process other = new ProcessBuilder("sleep", "30").start();
    try {
      long startMs = other.info().startInstant().orElseThrow().toEpochMilli();
      String owner = new Owner(other.pid(), startMs).toString();
      Files.writeString(root.resolve(".lock"), owner);
      assertThatThrownBy(() -> RunLock.acquire(disk, root))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining("process " + other.pid());
      assertThat(root.resolve(".lock")).hasContent(owner);
    } finally {
      other.destroyForcibly().waitFor();
    }
    // the same lock, its process gone
    try (RunLock lock = RunLock.acquire(disk, root)) {
      assertThat(root.resolve(".lock")).hasContent(Owner.self().toString());
    }
    assertThat(StagedDirectoryTest.names(root)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "torn", "-1-5", "999999999999-1"})
  void takesOverWhatNobodyHolds(String content) throws Exception {
    Files.writeString(root.resolve(".lock"), content);
    RunLock.acquire(disk, root).close();
    assertThat(StagedDirectoryTest.names(root)).isEmpty();
  }

  @Test
  void aFailedReleaseDoesNotLockOut() {
    FaultyStorage storage = new FaultyStorage(disk);
    RunLock lock = RunLock.acquire(storage, root);
    storage.failNth(1, false, "I/O error");
    lock.close();
    assertThat(root.resolve(".lock")).exists();
    RunLock.acquire(disk, root).close();
    assertThat(root.resolve(".lock")).doesNotExist();
  }

  @Test
  void everyDiskFailureIsReportedAndSurvived() {
    for (int n = 1; ; n++) {
      FaultyStorage storage = new FaultyStorage(disk).failNth(n, false, "I/O error");
      try {
        RunLock.acquire(storage, root).close();
      } catch (FailedException e) {
        assertThat(e).as("operation %s", n).hasMessageContaining("I/O error");
      }
      assertThat(storage.numOpenHandles()).isZero();
      RunLock.acquire(disk, root).close();
      if (!storage.fired()) {
        assertThat(n).isGreaterThan(4);
        return;
      }
    }
  }
}
