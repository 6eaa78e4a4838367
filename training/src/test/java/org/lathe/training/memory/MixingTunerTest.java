package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.ScoredTexts;

class MixingTunerTest {
  /** Each candidate measured by itself; the tuner shares sums among candidates. */
  @Test
  void picksWhatBruteForcePicks() {
    SeededCases.run(
        25,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          List<Mixing> candidates =
              new ArrayList<>(
                  random.nextBoolean()
                      ? MixingTuner.sharedCandidates()
                      : MixingTuner.linearCandidates());
          if (random.nextBoolean()) {
            Collections.shuffle(candidates, random);
          }
          Mixing best = candidates.get(0);
          double lowest = Double.POSITIVE_INFINITY;
          for (Mixing candidate : candidates) {
            double perplexity = MemoryEvaluation.perplexity(text, 0.5, 20, candidate);
            if (perplexity < lowest) {
              lowest = perplexity;
              best = candidate;
            }
          }
          MixingTuner tuner = new MixingTuner(candidates);
          new MemoryScan(text, 0.5, 20)
              .forEach(
                  text.numPositions(),
                  (position, scores, values, numItems) ->
                      tuner.add(
                          text.vocabularyMass()[position],
                          text.targetLogits()[position],
                          scores,
                          values,
                          numItems,
                          text.targets()[position]));
          assertThat(tuner.best()).isEqualTo(best);
          assertThat(tuner.bestPerplexity()).isCloseTo(lowest, within(1e-9));
          assertThat(MemoryEvaluation.tune(text, 0.5, 20, candidates, Integer.MAX_VALUE))
              .isEqualTo(best);
        });
  }

  @Test
  void candidatesAreWhatTheListsSay() {
    assertThat(MixingTuner.sharedCandidates()).hasSize(MixingTuner.TEMPERATURES.size());
    assertThat(MixingTuner.linearCandidates())
        .hasSize(MixingTuner.TEMPERATURES.size() * MixingTuner.INTERPOLATIONS.size())
        .doesNotHaveDuplicates();
  }
}
