package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.memory.TokenDistribution;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

class NextTokenScorerTest {
  private static final int VOCABULARY_SIZE = 13;
  private static final int WINDOW = 12;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(VOCABULARY_SIZE, 16, 1, 2, 32, WINDOW);

  /** What evaluation says of one target, for every token as the target. */
  @Test
  void saysOfEveryTokenWhatEvaluationSays() {
    try (Trainer<Batch> trainer =
            new Trainer<>(
                new LanguageModelTask(
                    MODEL,
                    MemoryConfig.of(MemoryObjective.NONE, 16),
                    OptimizerConfig.adamW(0.01),
                    ScheduleConfig.constant(),
                    0,
                    0),
                new LoopConfig(1, WINDOW, 1, 1, 0, 1, 1, 3, 1));
        LanguageModelScorer evaluation =
            new LanguageModelScorer(MODEL, trainer.modelWeights(), "test", 1);
        NextTokenScorer scorer = new NextTokenScorer(MODEL, trainer.modelWeights(), "test", 1)) {
      for (int length : new int[] {1, 5, WINDOW}) {
        int[] tokens = new Random(length).ints(length, 0, VOCABULARY_SIZE).toArray();
        NextTokenScorer.Scored found = scorer.score(tokens);
        assertThat(found.logits()).hasSize(VOCABULARY_SIZE);
        for (int w = 0; w < VOCABULARY_SIZE; w++) {
          int[] continued = Arrays.copyOf(tokens, length + 1);
          continued[length] = w;
          ScoredText text =
              evaluation.score(
                  continued, new SlidingWindows(WINDOW, WINDOW), (what, done, total) -> {});
          assertThat((double) found.logits()[w])
              .isCloseTo(text.targetLogits()[length - 1], within(1e-5));
          assertThat(TokenDistribution.vocabularyMass(found.logits()))
              .isCloseTo(text.vocabularyMass()[length - 1], within(1e-5));
          assertThat(found.taps()).containsExactly(text.taps().get(0), within(1e-5f));
        }
      }
      assertThatThrownBy(() -> scorer.score(new int[0])).hasMessageContaining("1 to 12");
      assertThatThrownBy(() -> scorer.score(new int[WINDOW + 1])).hasMessageContaining("13 tokens");
    }
  }
}
