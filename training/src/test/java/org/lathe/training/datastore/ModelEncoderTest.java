package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.evaluation.LanguageModelScorer;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;
import org.lathe.training.weights.ModelFingerprint;
import org.tensorflow.ndarray.Shape;

/** A real model: what is stored is what the scorer of evaluations sees at the same positions. */
class ModelEncoderTest {
  private static final int WINDOW = 12;
  private static final int STRIDE = 5;
  private static final int WIDTH = 16;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(Stores.VOCABULARY_SIZE, WIDTH, 1, 2, 32, WINDOW);

  @TempDir Path root;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void storesWhatTheScorerSeesTwiceTheSame() {
    int[] first = new Random(1).ints(70, 0, Stores.VOCABULARY_SIZE).toArray();
    int[] second = new Random(2).ints(45, 0, Stores.VOCABULARY_SIZE).toArray();
    SourceText text = SourceText.of("text", List.of("a", "b"), List.of(first, second));
    int[] tokens = new int[115];
    text.read(0, tokens, 0, 115);
    try (Trainer<Batch> trainer =
            new Trainer<>(
                new LanguageModelTask(
                    MODEL,
                    MemoryConfig.of(MemoryObjective.NONE, WIDTH),
                    OptimizerConfig.adamW(0.01),
                    ScheduleConfig.constant(),
                    0,
                    0),
                new LoopConfig(1, WINDOW, 1, 1, 0, 1, 1, 3, 1));
        LanguageModelScorer scorer =
            new LanguageModelScorer(MODEL, trainer.modelWeights(), "test", 1)) {
      KeyStore expected =
          KeyStore.of(
              scorer.score(tokens, new SlidingWindows(WINDOW, STRIDE), (what, done, total) -> {}));
      build(root.resolve("one"), trainer.modelWeights(), text);
      build(root.resolve("two"), trainer.modelWeights(), text);
      try (Datastore store = Datastore.open(disk, root.resolve("one"))) {
        assertThat(store.numItems()).isEqualTo(69 + 44);
        for (int i = 0; i < store.numItems(); i++) {
          int position = (int) store.position(i);
          assertThat(position).isEqualTo(i < 69 ? i : i + 1);
          assertThat(store.value(i)).isEqualTo(expected.values()[position]);
          float[] key = store.keys(i, 1);
          for (int d = 0; d < WIDTH; d++) {
            double wanted = expected.keys()[position * WIDTH + d];
            // half a step of float16, and other windows beside it in the same product
            assertThat((double) key[d]).isCloseTo(wanted, within(Math.abs(wanted) / 2048 + 1e-5));
          }
        }
      }
    }
    Map<String, byte[]> one = Stores.files(root.resolve("one"));
    Map<String, byte[]> two = Stores.files(root.resolve("two"));
    one.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(two.get(name)));
  }

  private void build(Path directory, Weights weights, SourceText text) {
    StoreIdentity identity = Stores.identity(WIDTH, WINDOW, STRIDE, false);
    try (ModelEncoder encoder = new ModelEncoder(MODEL, weights, "test", 1)) {
      Stores.builder(disk, directory, identity)
          .run(text, encoder, (what, done, total) -> {}, () -> false);
    }
  }

  @Test
  void aFingerprintIsThatOfConfigurationAndWeights() {
    float[] values = {1, 2, 3, 4, 5, 6};
    Weights weights = weights("a", values);
    String fingerprint = ModelFingerprint.of(MODEL, weights);
    assertThat(fingerprint).matches("[0-9a-f]{64}");
    assertThat(ModelFingerprint.of(MODEL, weights("a", values.clone()))).isEqualTo(fingerprint);
    assertThat(ModelFingerprint.of(MODEL, weights("b", values))).isNotEqualTo(fingerprint);
    float[] other = values.clone();
    other[5] = Math.nextUp(other[5]);
    assertThat(ModelFingerprint.of(MODEL, weights("a", other))).isNotEqualTo(fingerprint);
    TransformerConfig wider =
        TransformerConfig.uniform(Stores.VOCABULARY_SIZE, WIDTH, 1, 2, 32, WINDOW + 1);
    assertThat(ModelFingerprint.of(wider, weights)).isNotEqualTo(fingerprint);
  }

  private static Weights weights(String name, float[] values) {
    return new Weights()
        .put("z", Shape.of(2), new float[2])
        .put(name, Shape.of(2, 3), Arrays.copyOf(values, 6));
  }
}
