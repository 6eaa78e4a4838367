package org.lathe.training.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.checkpoint.CheckpointStore.Checkpoint;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

class CheckpointStoreTest {
  @TempDir Path run;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void tensorFlowBundleComesBackByteForByte() {
    CheckpointStore store = new CheckpointStore(disk, run, 2);
    assertThat(store.latest()).isEmpty();
    float[] kernel = {1.5f, Float.MIN_VALUE, -0.0f, 1e30f, (float) Math.PI, 7};
    Weights weights =
        new Weights()
            .put("block_0/kernel", Shape.of(2, 3), kernel)
            .put("step", Shape.scalar(), new float[] {42});
    Map<String, Object> state = Map.of("epoch", 3, "rate", 0.1, "seeds", List.of(1L << 40));
    store.save(42, weights, state, "abc");

    Checkpoint found = new CheckpointStore(disk, run, 2).latest().orElseThrow();
    assertThat(found.step()).isEqualTo(42);
    assertThat(found.configHash()).isEqualTo("abc");
    assertThat(found.state())
        .isEqualTo(Map.of("epoch", 3L, "rate", 0.1, "seeds", List.of(1L << 40)));
    assertThat(found.directory()).isEqualTo(run.resolve("checkpoints/step-42"));
    assertThat(names(found.directory()))
        .containsExactly(
            "MANIFEST.json", "state.json", "variables.data-00000-of-00001", "variables.index");
    Weights read = store.read(found);
    assertThat(read.names()).containsExactlyInAnyOrder("block_0/kernel", "step");
    assertThat(read.get("block_0/kernel").shape()).isEqualTo(Shape.of(2, 3));
    assertThat(read.get("block_0/kernel").values()).isEqualTo(kernel);
    assertThat(store.read(found, name -> name.equals("step")).names()).containsExactly("step");
    assertThat(store.read(found, name -> false).names()).isEmpty();
  }

  /** As the best model of a run that went back to an older step and came by again. */
  @Test
  void theOnlyOneReplacesItsOwnStepAndLaterOnes() {
    CheckpointStore store = plain(1);
    store.saveOnly(300, weights(1), Map.of("score", 0.8), "h");
    store.saveOnly(300, weights(2), Map.of("score", 0.9), "h");
    Checkpoint again = store.latest().orElseThrow();
    assertThat(again.state()).containsEntry("score", 0.9);
    assertThat(store.read(again).get("w").values()).isEqualTo(weights(2).get("w").values());
    store.saveOnly(250, weights(3), Map.of("score", 0.95), "h");
    assertThat(store.latest().orElseThrow().step()).isEqualTo(250);
    store.saveOnly(400, weights(4), Map.of("score", 0.97), "h");
    assertThat(names(run.resolve("checkpoints"))).containsExactly("step-400");
  }

  @Test
  void keepsTheNewestAndSavesAStepOnce() throws IOException {
    CheckpointStore store = plain(2);
    for (long step : new long[] {5, 10, 15}) {
      store.save(step, weights(step), Map.of(), "h");
    }
    assertThat(names(run.resolve("checkpoints"))).containsExactly("step-10", "step-15");
    byte[] before = Files.readAllBytes(run.resolve("checkpoints/step-15/MANIFEST.json"));
    store.save(15, weights(99), Map.of(), "h");
    assertThat(run.resolve("checkpoints/step-15/MANIFEST.json")).hasBinaryContent(before);
    assertIntact(15);
  }

  @Test
  void skipsDamagedOnesAndReplacesThem() throws IOException {
    CheckpointStore store = plain(2);
    store.save(5, weights(5), Map.of(), "h");
    store.save(10, weights(10), Map.of(), "h");
    Files.writeString(run.resolve("checkpoints/step-10/state.json"), "{\"a\":1}");
    assertIntact(5);
    CheckpointStore resumed = plain(1);
    assertThat(resumed.latest().orElseThrow().step()).isEqualTo(5);
    // a damaged newer one does not push out what was just saved
    resumed.save(7, weights(7), Map.of(), "h");
    assertThat(names(run.resolve("checkpoints"))).containsExactly("step-10", "step-7");
    assertIntact(7);
    resumed.save(10, weights(10), Map.of(), "h");
    assertThat(names(run.resolve("checkpoints"))).containsExactly("step-10");
    assertIntact(10);
  }

  @Test
  void namesAllWhenNoneIsIntact() throws IOException {
    CheckpointStore store = plain(2);
    store.save(5, weights(5), Map.of(), "h");
    store.save(10, weights(10), Map.of(), "h");
    Files.delete(run.resolve("checkpoints/step-5/variables.index"));
    Files.delete(run.resolve("checkpoints/step-10/MANIFEST.json"));
    assertThatThrownBy(store::latest)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("holds 2 checkpoints and none is intact")
        .hasMessageContaining("step-5/variables.index: is missing")
        .hasMessageContaining("step-10/MANIFEST.json is missing");
  }

  @Test
  void foreignDirectoriesAreNotCheckpoints() throws IOException {
    CheckpointStore store = plain(2);
    store.save(5, weights(5), Map.of(), "h");
    Files.createDirectories(run.resolve("checkpoints/step-900"));
    Files.createDirectories(run.resolve("checkpoints/notes"));
    Files.createDirectories(run.resolve("checkpoints/step-x"));
    Files.createDirectories(run.resolve("checkpoints/step-0099"));
    assertIntact(5);
    // a copy under another step's name
    Files.move(run.resolve("checkpoints/step-5"), run.resolve("checkpoints/step-50"));
    assertThatThrownBy(store::latest)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is the checkpoint of step 5 under a wrong name");
  }

  @Test
  void refusesToFallBackBehindANewerFormat() throws Exception {
    CheckpointStore store = plain(2);
    store.save(5, weights(5), Map.of(), "h");
    store.save(10, weights(10), Map.of(), "h");
    Path manifest = run.resolve("checkpoints/step-10/MANIFEST.json");
    String text =
        Files.readString(manifest)
            .replace("\"formatVersion\" : 1", "\"formatVersion\" : 9")
            .replaceAll("[0-9a-f]{64}\"\n}\n$", "0".repeat(64) + "\"\n}\n");
    String hash =
        com.google.common.hash.Hashing.sha256()
            .hashString(text, java.nio.charset.StandardCharsets.UTF_8)
            .toString();
    Files.writeString(manifest, text.replaceAll("0{64}\"\n}\n$", hash + "\"\n}\n"));
    assertThatThrownBy(store::latest)
        .isInstanceOf(FormatTooNewException.class)
        .hasMessageContaining("format version 9");
  }

  @Test
  void everyFlippedBitIsDetected() throws IOException {
    CheckpointStore store = plain(2);
    store.save(5, weights(5), Map.of("a", 1), "h");
    Path directory = run.resolve("checkpoints/step-5");
    long seed = Long.getLong("seed", 20261122L);
    SplittableRandom random = new SplittableRandom(seed);
    List<String> files = names(directory);
    for (int i = 0; i < 400; i++) {
      Path file = directory.resolve(files.get(i % files.size()));
      byte[] bytes = Files.readAllBytes(file);
      byte[] flipped = bytes.clone();
      int bit = random.nextInt(bytes.length * 8);
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      assertThatThrownBy(store::latest)
          .as("-Dseed=%s, bit %s of %s", seed, bit, file)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(file.toString());
      Files.write(file, bytes);
    }
    assertIntact(5);
  }

  private CheckpointStore plain(int keep) {
    return new CheckpointStore(disk, run, keep, new PlainFiles());
  }

  private void assertIntact(long step) {
    CheckpointStore store = plain(2);
    Checkpoint latest = store.latest().orElseThrow();
    assertThat(latest.step()).isEqualTo(step);
    assertThat(store.read(latest).get("w").values()).isEqualTo(weights(step).get("w").values());
  }

  static Weights weights(long step) {
    return new Weights().put("w", Shape.of(3), new float[] {step, 0.5f, -step});
  }

  static List<String> names(Path directory) {
    try (Stream<Path> children = Files.list(directory)) {
      return children.map(child -> child.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
