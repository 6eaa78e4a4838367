package org.lathe.training.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.FailedException;

class StagedDirectoryTest {
  @TempDir Path root;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void appearsAtTheCommitAndNotBefore() throws IOException {
    Path target = root.resolve("7");
    try (StagedDirectory staged = StagedDirectory.begin(disk, target, 100)) {
      assertThat(staged.path().getParent()).isEqualTo(root);
      assertThat(staged.path().getFileName().toString()).startsWith(".staging-");
      Files.createDirectories(staged.path().resolve("b"));
      Files.writeString(staged.path().resolve("b/two"), "22");
      Files.writeString(staged.path().resolve("a"), "1");
      assertThat(target).doesNotExist();
      staged.commit("model", Map.of("size", 3));
    }
    assertThat(names(root)).containsExactly("7");
    assertThat(names(target)).containsExactly("MANIFEST.json", "a", "b");
    Manifest manifest = Manifest.verified(disk, target, "model");
    assertThat(manifest.facts()).isEqualTo(Map.of("size", 3L));
    // printf 1 | sha256sum
    assertThat(manifest.files().get(0))
        .isEqualTo(
            new Manifest.Entry(
                "a", 1, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"));
    assertThat(manifest.files().get(1).path()).isEqualTo("b/two");
  }

  @Test
  void equalContentGivesEqualManifests() throws IOException {
    for (String name : List.of("1", "2")) {
      try (StagedDirectory staged = StagedDirectory.begin(disk, root.resolve(name), 100)) {
        Files.writeString(staged.path().resolve("x"), "same");
        staged.commit("model", Map.of("z", 1, "a", Map.of("q", 1, "b", 2)));
      }
    }
    assertThat(root.resolve("1/MANIFEST.json"))
        .hasSameBinaryContentAs(root.resolve("2/MANIFEST.json"));
  }

  @Test
  void vanishesWithoutCommit() throws IOException {
    try (StagedDirectory staged = StagedDirectory.begin(disk, root.resolve("7"), 100)) {
      Files.createDirectories(staged.path().resolve("b"));
      Files.writeString(staged.path().resolve("b/two"), "22");
    }
    assertThat(names(root)).isEmpty();
  }

  @Test
  void forcesFilesThenStagingThenMovesThenForcesParent() throws IOException {
    FaultyStorage storage = new FaultyStorage(disk);
    Path staging;
    try (StagedDirectory staged = StagedDirectory.begin(storage, root.resolve("7"), 100)) {
      staging = staged.path();
      Files.createDirectories(staging.resolve("b"));
      Files.writeString(staging.resolve("b/two"), "22");
      JsonFile.write(storage, staging.resolve("a"), Map.of());
      staged.commit("model", Map.of());
    }
    List<FaultyStorage.Call> durable =
        storage.trace().stream()
            .filter(call -> List.of("force", "move").contains(call.operation()))
            .toList();
    assertThat(durable)
        .containsExactly(
            new FaultyStorage.Call("force", staging.resolve("a")),
            new FaultyStorage.Call("force", staging.resolve("b/two")),
            new FaultyStorage.Call("force", staging.resolve("MANIFEST.json")),
            new FaultyStorage.Call("force", staging.resolve("b")),
            new FaultyStorage.Call("force", staging),
            new FaultyStorage.Call("move", root.resolve("7")),
            new FaultyStorage.Call("force", root));
    // the manifest is the last thing written
    List<FaultyStorage.Call> writes =
        storage.trace().stream().filter(call -> call.operation().equals("write")).toList();
    assertThat(writes.get(writes.size() - 1).path()).isEqualTo(staging.resolve("MANIFEST.json"));
    assertThat(storage.numOpenHandles()).isZero();
  }

  @Test
  void refusesAnExistingTargetBeforeAndAtTheCommit() throws IOException {
    Path target = root.resolve("7");
    try (StagedDirectory slow = StagedDirectory.begin(disk, target, 100)) {
      try (StagedDirectory fast = StagedDirectory.begin(disk, target, 100)) {
        Files.writeString(fast.path().resolve("who"), "fast");
        fast.commit("model", Map.of());
      }
      Files.writeString(slow.path().resolve("who"), "slow");
      assertThatThrownBy(() -> slow.commit("model", Map.of()))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining(target + " exists already");
    }
    assertThat(target.resolve("who")).hasContent("fast");
    assertThat(names(root)).containsExactly("7");
    assertThatThrownBy(() -> StagedDirectory.begin(disk, target, 100))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("exists already");
  }

  @Test
  void wantsATenthMoreSpaceThanEstimated() {
    FaultyStorage storage = new FaultyStorage(disk).quotaBytes(1099).showQuota();
    assertThatThrownBy(() -> StagedDirectory.begin(storage, root.resolve("7"), 1000))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("needed 1100 bytes, free 1099 bytes");
    storage.quotaBytes(1100);
    StagedDirectory.begin(storage, root.resolve("7"), 1000).close();
  }

  @Test
  void sweepsWhatDeadProcessesLeft() throws Exception {
    long deadPid = deadPid();
    for (String name :
        List.of(
            ".staging-11111111-1111-1111-1111-111111111111_" + deadPid + "-5",
            // this id lives, but started at another time
            ".staging-x_" + parentPid() + "-5",
            ".staging-unknown",
            ".trash-1")) {
      Files.createDirectories(root.resolve(name).resolve("in"));
      Files.writeString(root.resolve(name).resolve("in/file"), "x");
    }
    Path alive = root.resolve(".staging-y_" + new Owner(parentPid(), 0));
    Files.createDirectories(alive);
    Files.createDirectories(root.resolve("other"));
    try (StagedDirectory own = StagedDirectory.begin(disk, root.resolve("7"), 100)) {
      StagedDirectory.sweep(disk, root);
      assertThat(names(root))
          .containsExactlyInAnyOrder(
              alive.getFileName().toString(), own.path().getFileName().toString(), "other");
    }
    StagedDirectory.sweep(disk, root.resolve("absent"));
  }

  @Test
  void sweepRemovesLinksAndNotWhatTheyPointTo() throws IOException {
    Path precious = Files.createDirectories(root.resolve("precious"));
    Files.writeString(precious.resolve("file"), "keep");
    Path trash = Files.createDirectories(root.resolve("runs/.trash-1"));
    Files.createSymbolicLink(trash.resolve("link"), precious);
    StagedDirectory.sweep(disk, root.resolve("runs"));
    assertThat(trash).doesNotExist();
    assertThat(precious.resolve("file")).hasContent("keep");
  }

  @Test
  void aFailedCleanUpIsMadeGoodByTheNextSweep() throws IOException {
    FaultyStorage storage = new FaultyStorage(disk);
    StagedDirectory staged = StagedDirectory.begin(storage, root.resolve("7"), 100);
    storage.failNth(1, true, "I/O error");
    staged.close();
    assertThat(names(root)).hasSize(1);
    StagedDirectory.sweep(disk, root);
    assertThat(names(root)).isEmpty();
  }

  @Test
  void namesOperationPlaceAndAdviceWhenTheDiskFails() throws IOException {
    FaultyStorage storage = new FaultyStorage(disk);
    try (StagedDirectory staged = StagedDirectory.begin(storage, root.resolve("7"), 100)) {
      storage.failNth(1, false, "Input/output error");
      assertThatThrownBy(
              () -> JsonFile.write(storage, staged.path().resolve("state.json"), Map.of()))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining("cannot write " + staged.path().resolve("state.json"))
          .hasMessageContaining("Input/output error")
          .hasMessageContaining("bytes free")
          .hasMessageContaining("run the command again");
    }
  }

  private static long parentPid() {
    return ProcessHandle.current().parent().orElseThrow().pid();
  }

  static long deadPid() throws Exception {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    return process.pid();
  }

  static List<String> names(Path directory) throws IOException {
    try (Stream<Path> children = Files.list(directory)) {
      return children.map(child -> child.getFileName().toString()).sorted().toList();
    }
  }
}
