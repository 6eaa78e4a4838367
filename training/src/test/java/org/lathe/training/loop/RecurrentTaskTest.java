package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

class RecurrentTaskTest {
  private static final int B = 4;
  private static final int T = 5;
  private static final int V = 8;
  private static final int SEGMENTS_PER_PATTERN = 8;
  private static final TransformerConfig MODEL = TransformerConfig.uniform(V, 16, 1, 2, 32, 1);

  private static RecurrentTask task(RecurrenceConfig recurrence, MemoryObjective objective) {
    return new RecurrentTask(
        MODEL,
        recurrence,
        MemoryConfig.of(objective, 16),
        OptimizerConfig.adamW(0.01),
        ScheduleConfig.constant(),
        1,
        0);
  }

  private static Trainer<Batch> trainer(RecurrenceConfig recurrence, int steps) {
    return new Trainer<>(
        task(recurrence, MemoryObjective.NONE), new LoopConfig(B, T, steps, 1, 0, 0, 1, 7, 1));
  }

  /** A stream of random patterns of T tokens, each eight times: nothing repeats in a segment. */
  private static Batches patterns(boolean continued) {
    return new Batches() {
      @Override
      public Batch at(long microStep) {
        int[] inputs = new int[B * T];
        int[] targets = new int[B * T];
        for (int row = 0; row < B; row++) {
          for (int t = 0; t < T; t++) {
            inputs[row * T + t] = token(row, microStep * T + t);
            targets[row * T + t] = token(row, microStep * T + t + 1);
          }
        }
        return new Batch(B, T, inputs, targets, continued && microStep > 0);
      }

      private int token(int row, long position) {
        long pattern = position / (T * SEGMENTS_PER_PATTERN);
        long salt = (pattern * B + row) * T + position % T;
        return new Random(salt * 0x9E3779B97F4A7C15L).nextInt(V);
      }

      @Override
      public int batchSize() {
        return B;
      }

      @Override
      public int segmentLength() {
        return T;
      }

      @Override
      public long batchesPerEpoch() {
        return Long.MAX_VALUE;
      }
    };
  }

  private static List<Batch> validation(boolean continued) {
    Batches batches = patterns(continued);
    List<Batch> chosen = new ArrayList<>();
    for (long i = 0; i < 3 * SEGMENTS_PER_PATTERN; i++) {
      chosen.add(batches.at(i));
    }
    return chosen;
  }

  /** What stood one segment ago can be known through the memory alone. */
  @Test
  void learnsToCopyFromTheSegmentBefore() {
    int steps = 250;
    double uniform = Math.log(V);
    try (Trainer<Batch> trainer = trainer(RecurrenceConfig.of(T), steps)) {
      Batches batches = patterns(true);
      for (int i = 0; i < steps; i++) {
        trainer.advance(batches);
      }
      assertThat(trainer.validationLoss(validation(true))).isLessThan(0.6 * uniform);
      assertThat(trainer.validationLoss(validation(false))).isGreaterThan(0.95 * uniform);
    }
  }

  /** Validation starts from an empty memory of its own and leaves the training's alone. */
  @Test
  void validationIsApartFromTraining() {
    CompressionConfig compression =
        new CompressionConfig(CompressionConfig.Kind.MAX_POOLING, 5, 3, 0);
    RecurrenceConfig recurrence = RecurrenceConfig.of(T).withCompression(compression);
    try (Trainer<Batch> trainer = trainer(recurrence, 100)) {
      Batches batches = patterns(true);
      double untouched = trainer.validationLoss(validation(true));
      trainer.advance(batches);
      trainer.advance(batches);
      Weights before = trainer.stateWeights();
      assertThat(before.get("recurrence/recent/valid").values()).containsOnly(1f);
      double first = trainer.validationLoss(validation(true));
      assertThat(trainer.validationLoss(validation(true))).isEqualTo(first);
      assertThat(first).isNotEqualTo(untouched);
      TinyTraining.assertSame(trainer.stateWeights(), before);
    }
  }

  /** A batch that continues nothing empties the memory of all rows. */
  @Test
  void memoryIsEmptyWhereTextsBegin() {
    try (Trainer<Batch> trainer = trainer(RecurrenceConfig.of(2 * T), 100)) {
      for (int i = 0; i < 3; i++) {
        trainer.advance(patterns(true));
      }
      assertThat(valid(trainer)).containsOnly(1f);
      trainer.advance(patterns(false));
      assertThat(valid(trainer)).startsWith(0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0);
    }
  }

  private static float[] valid(Trainer<Batch> trainer) {
    return trainer.stateWeights().get("recurrence/recent/valid").values();
  }

  @Test
  void refusesMemoryOfOtherRows() {
    assertThatThrownBy(
            () ->
                new Trainer<>(
                        task(RecurrenceConfig.of(4), MemoryObjective.CONSECUTIVE),
                        new LoopConfig(B, T, 1, 1, 0, 0, 1, 7, 1))
                    .close())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("memory.objective none or local");
  }
}
