package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.RecurrentTask;
import org.lathe.training.loop.Trainer;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

class RecurrentScorerTest {
  private static final int V = 13;
  private static final int T = 6;
  private static final TransformerConfig MODEL = TransformerConfig.uniform(V, 16, 2, 2, 32, 1);
  private static final RecurrenceConfig XL = RecurrenceConfig.of(8).withClampLength(9);

  private static Trainer<Batch> trainer(RecurrenceConfig recurrence) {
    return new Trainer<>(
        new RecurrentTask(
            MODEL,
            recurrence,
            MemoryConfig.of(MemoryObjective.NONE, 16),
            OptimizerConfig.adamW(0.01),
            ScheduleConfig.constant(),
            0,
            0),
        new LoopConfig(1, T, 1, 1, 0, 1, 1, 3, 1));
  }

  private static ScoredText score(RecurrenceConfig recurrence, Weights weights, int[] tokens) {
    return score(recurrence, weights, tokens, T);
  }

  private static ScoredText score(
      RecurrenceConfig recurrence, Weights weights, int[] tokens, int stride) {
    try (RecurrentScorer scorer = new RecurrentScorer(MODEL, recurrence, weights, "test", 1)) {
      // a second text must not remember the first
      scorer.score(tokens(40), new SlidingWindows(stride, stride), (what, done, total) -> {});
      return scorer.score(
          tokens, new SlidingWindows(3 * stride, stride), (what, done, total) -> {});
    }
  }

  private static int[] tokens(int size) {
    return new Random(size).ints(size, 0, V).toArray();
  }

  /** The training graph's own validation loss is another path to the same number. */
  @ParameterizedTest
  @EnumSource
  void equalsTheLossOfTheTrainingGraph(CompressionConfig.Kind kind) {
    RecurrenceConfig recurrence =
        kind == CompressionConfig.Kind.NONE
            ? XL
            : XL.withCompression(new CompressionConfig(kind, 3, 4, 1));
    int numSegments = 7;
    int[] tokens = tokens(numSegments * T + 1);
    List<Batch> batches = new ArrayList<>();
    for (int begin = 0; begin < numSegments * T; begin += T) {
      batches.add(
          new Batch(
              1,
              T,
              Arrays.copyOfRange(tokens, begin, begin + T),
              Arrays.copyOfRange(tokens, begin + 1, begin + T + 1),
              begin > 0));
    }
    try (Trainer<Batch> trainer = trainer(recurrence)) {
      double loss = trainer.validationLoss(batches);
      ScoredText text = score(recurrence, trainer.modelWeights(), tokens);
      assertThat(Math.log(MemoryEvaluation.withoutMemory(text).perplexity()))
          .isCloseTo(loss, within(1e-5));
    }
  }

  /** Every word as the last target gives all logits of the last position. */
  @Test
  void confidenceIsThatOfTheLikeliestWord() {
    int[] tokens = tokens(2 * T + 1);
    double largest = Double.NEGATIVE_INFINITY;
    double confidence = 0;
    try (Trainer<Batch> trainer = trainer(XL);
        RecurrentScorer scorer =
            new RecurrentScorer(MODEL, XL, trainer.modelWeights(), "test", 1)) {
      for (int word = 0; word < V; word++) {
        tokens[2 * T] = word;
        ScoredText text = scorer.score(tokens, new SlidingWindows(T, T), (what, done, total) -> {});
        largest = Math.max(largest, text.vocabularyLogProbability(2 * T - 1));
        confidence = text.confidence()[2 * T - 1];
        for (int i = 0; i < 2 * T; i++) {
          assertThat(text.confidence()[i]).isBetween(text.vocabularyLogProbability(i) - 1e-5, 0.0);
        }
      }
    }
    assertThat(confidence).isCloseTo(largest, within(1e-5));
  }

  /** With a memory of the whole text, segments of any length say the same, and taps too. */
  @Test
  void doesNotDependOnTheSegmentsWhereMemoryHoldsAll() {
    int[] tokens = tokens(30);
    RecurrenceConfig all = XL.withLengths(40, 0);
    try (Trainer<Batch> trainer = trainer(XL)) {
      Weights weights = trainer.modelWeights();
      ScoredText whole = score(all, weights, tokens, 29);
      ScoredText parts = score(all, weights, tokens, 4);
      assertThat(whole.windows()).hasSize(1);
      assertThat(parts.windows()).hasSize(8);
      assertThat(parts.windows().get(7)).isEqualTo(new SlidingWindows.Window(28, 28, 29));
      double difference = 0;
      ScoredText less = score(XL.withLengths(1, 0), weights, tokens, 4);
      for (int i = 0; i < 29; i++) {
        assertThat(parts.vocabularyMass()[i]).isCloseTo(whole.vocabularyMass()[i], within(1e-4));
        assertThat(parts.targetLogits()[i]).isCloseTo(whole.targetLogits()[i], within(1e-4));
        difference += Math.abs(less.targetLogits()[i] - whole.targetLogits()[i]);
      }
      assertThat(difference).as("a memory of 1 says something else").isGreaterThan(1e-3);
      float[] taps = whole.taps().get(0);
      for (int w = 0; w < 8; w++) {
        assertThat(parts.taps().get(w))
            .containsExactly(
                Arrays.copyOfRange(taps, w * 4 * 16, Math.min(29, w * 4 + 4) * 16), within(1e-4f));
      }
    }
  }

  @Test
  void refusesSegmentsThatDoNotFitTheMemory() {
    RecurrenceConfig recurrence =
        XL.withCompression(new CompressionConfig(CompressionConfig.Kind.MEAN_POOLING, 2, 4, 0));
    try (Trainer<Batch> trainer = trainer(recurrence)) {
      assertThatThrownBy(() -> score(recurrence, trainer.modelWeights(), tokens(40), 10))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("memory length 8");
    }
  }
}
