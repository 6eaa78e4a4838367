package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

class LanguageModelScorerTest {
  private static final int VOCABULARY_SIZE = 13;
  private static final int WINDOW = 12;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(VOCABULARY_SIZE, 16, 1, 2, 32, WINDOW);

  private static Trainer<Batch> trainer;
  private static LanguageModelScorer scorer;

  @BeforeAll
  static void open() {
    trainer =
        new Trainer<>(
            new LanguageModelTask(
                MODEL,
                MemoryConfig.of(MemoryObjective.NONE, 16),
                OptimizerConfig.adamW(0.01),
                ScheduleConfig.constant(),
                0,
                0),
            new LoopConfig(1, WINDOW, 1, 1, 0, 1, 1, 3, 1));
    scorer = new LanguageModelScorer(MODEL, trainer.modelWeights(), "test", 1);
  }

  @AfterAll
  static void close() {
    scorer.close();
    trainer.close();
  }

  /** The training graph's own loss is an independent path to the same number. */
  @Test
  void equalsThePlainLossWhereOneWindowCoversTheText() {
    int[] tokens = tokens(WINDOW + 1);
    ScoredText text = score(tokens, WINDOW, WINDOW);
    double loss =
        trainer.validationLoss(
            List.of(
                new Batch(
                    1,
                    WINDOW,
                    Arrays.copyOf(tokens, WINDOW),
                    Arrays.copyOfRange(tokens, 1, WINDOW + 1))));
    assertThat(text.windows()).hasSize(1);
    assertThat(Math.log(MemoryEvaluation.withoutMemory(text).perplexity()))
        .isCloseTo(loss, within(1e-6));
    assertThat(text.targets()).isEqualTo(Arrays.copyOfRange(tokens, 1, WINDOW + 1));
  }

  /** Every word as the last target gives all logits of the last position. */
  @Test
  void confidenceIsThatOfTheLikeliestWord() {
    int[] tokens = tokens(WINDOW + 1);
    double largest = Double.NEGATIVE_INFINITY;
    double confidence = 0;
    for (int word = 0; word < VOCABULARY_SIZE; word++) {
      tokens[WINDOW] = word;
      ScoredText text = score(tokens, WINDOW, WINDOW / 3);
      largest = Math.max(largest, text.vocabularyLogProbability(WINDOW - 1));
      confidence = text.confidence()[WINDOW - 1];
      for (int i = 0; i < WINDOW; i++) {
        assertThat(text.confidence()[i]).isBetween(text.vocabularyLogProbability(i) - 1e-5, 0.0);
      }
    }
    assertThat(confidence).isCloseTo(largest, within(1e-5));
  }

  /** 21 windows: runs of 8, 8 and 5 together must say what 21 runs say. */
  @Test
  void doesNotDependOnWhichWindowsShareARun() {
    int stride = 4;
    int[] tokens = tokens(WINDOW + 20 * stride - 1 + 1);
    ScoredText together = score(tokens, WINDOW, stride);
    assertThat(together.windows()).hasSize(21);
    double sum = 0;
    for (int w = 0; w < together.windows().size(); w++) {
      SlidingWindows.Window window = together.windows().get(w);
      ScoredText alone =
          score(Arrays.copyOfRange(tokens, window.begin(), window.end() + 1), WINDOW, WINDOW);
      assertThat(together.taps().get(w)).containsExactly(alone.taps().get(0), offset());
      for (int i = window.scoredFrom(); i < window.end(); i++) {
        int j = i - window.begin();
        assertThat(together.vocabularyMass()[i]).isCloseTo(alone.vocabularyMass()[j], within(1e-5));
        assertThat(together.targetLogits()[i]).isCloseTo(alone.targetLogits()[j], within(1e-5));
        sum -= alone.vocabularyLogProbability(j);
      }
    }
    double perplexity = Math.exp(sum / together.numPositions());
    assertThat(MemoryEvaluation.withoutMemory(together).perplexity())
        .isCloseTo(perplexity, within(1e-5));
  }

  /** A text shorter than a window, and one whose last window is moved back. */
  @Test
  void scoresTextsOfAnyLength() {
    for (int numPositions : new int[] {1, 5, WINDOW - 1, WINDOW + 1, 3 * WINDOW - 5}) {
      ScoredText text = score(tokens(numPositions + 1), WINDOW, WINDOW / 2);
      assertThat(text.numPositions()).isEqualTo(numPositions);
      for (int i = 0; i < numPositions; i++) {
        assertThat(text.vocabularyLogProbability(i)).isBetween(-50.0, 0.0);
      }
      assertThat(MemoryEvaluation.withoutMemory(text).perplexity()).isBetween(1.0, 100.0);
    }
  }

  private static org.assertj.core.data.Offset<Float> offset() {
    return within(1e-4f);
  }

  private static ScoredText score(int[] tokens, int window, int stride) {
    return scorer.score(tokens, new SlidingWindows(window, stride), (what, done, total) -> {});
  }

  private static int[] tokens(int size) {
    return new Random(size).ints(size, 0, VOCABULARY_SIZE).toArray();
  }
}
