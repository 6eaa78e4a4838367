package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;

class MixingTest {
  private static final int VOCABULARY_SIZE = 7;

  /** Logits of a vocabulary and items of a memory, with the plain sums that define the forms. */
  private record Case(double[] logits, float[] scores, int[] values) {
    static Case random(Random random, int numItems) {
      float[] scores = new float[numItems];
      for (int j = 0; j < numItems; j++) {
        scores[j] = (float) (random.nextGaussian() * 2);
      }
      return new Case(
          RandomArrays.normal(random, VOCABULARY_SIZE, 2),
          scores,
          RandomArrays.ints(random, numItems, VOCABULARY_SIZE));
    }

    double found(Mixing mixing, int target) {
      double vocabulary = 0;
      for (double logit : logits) {
        vocabulary += Math.exp(logit);
      }
      MemoryMass mass =
          MemoryMass.of(scores, values, 0, scores.length, target, mixing.temperature());
      return Math.exp(mixing.logProbability(Math.log(vocabulary), logits[target], mass));
    }

    double expected(Mixing mixing, int target) {
      double vocabulary = 0;
      for (double logit : logits) {
        vocabulary += Math.exp(logit);
      }
      double memory = 0;
      double matching = 0;
      for (int j = 0; j < scores.length; j++) {
        double mass = Math.exp(scores[j] / mixing.temperature());
        memory += mass;
        matching += values[j] == target ? mass : 0;
      }
      double own = Math.exp(logits[target]);
      if (mixing.form() == Mixing.Form.SHARED) {
        return (own + matching) / (vocabulary + memory);
      }
      double weight = mixing.interpolation();
      return (1 - weight) * own / vocabulary + weight * matching / memory;
    }
  }

  @Test
  void equalsTheDefinitionsAndSumsToOne() {
    SeededCases.run(
        300,
        random -> {
          Case one = Case.random(random, 1 + random.nextInt(20));
          double temperature = 0.2 + 2 * random.nextDouble();
          for (Mixing mixing :
              new Mixing[] {
                Mixing.shared(temperature), Mixing.linear(temperature, random.nextDouble())
              }) {
            double sum = 0;
            for (int target = 0; target < VOCABULARY_SIZE; target++) {
              double found = one.found(mixing, target);
              assertThat(found).isCloseTo(one.expected(mixing, target), within(1e-6));
              sum += found;
            }
            assertThat(sum).as("%s", mixing).isCloseTo(1, within(1e-12));
          }
        });
  }

  @Test
  void withoutItemsTheVocabularyDecides() {
    for (Mixing mixing : new Mixing[] {Mixing.shared(1), Mixing.linear(1, 0.5)}) {
      assertThat(mixing.logProbability(2.5, 1, MemoryMass.EMPTY)).isEqualTo(-1.5);
    }
  }

  @Test
  void zeroInterpolationIsTheVocabularyToo() {
    SeededCases.run(
        50,
        random -> {
          Case one = Case.random(random, 3);
          double sum = 0;
          for (double logit : one.logits()) {
            sum += Math.exp(logit);
          }
          for (int target = 0; target < VOCABULARY_SIZE; target++) {
            assertThat(one.found(Mixing.linear(1, 0), target))
                .isCloseTo(Math.exp(one.logits()[target]) / sum, within(1e-12));
          }
        });
  }

  @Test
  void refusesWhatIsNoMixing() {
    assertThatThrownBy(() -> Mixing.shared(0)).hasMessageContaining("temperature (0.0)");
    assertThatThrownBy(() -> Mixing.shared(Double.NaN)).hasMessageContaining("temperature (NaN)");
    assertThatThrownBy(() -> Mixing.linear(1, 1)).hasMessageContaining("interpolation (1.0)");
    assertThatThrownBy(() -> Mixing.linear(1, -0.1)).hasMessageContaining("interpolation (-0.1)");
  }
}
