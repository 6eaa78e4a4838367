package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;

/** The combined formula against plain sums of doubles over every item and token. */
class MemoryMixingTest {
  private static final int VOCABULARY_SIZE = 6;

  private record Case(
      double[] logits, float[] recent, int[] recentValues, float[] external, int[] externalValues) {

    static Case random(Random random) {
      int numRecent = random.nextInt(12);
      int numExternal = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(12);
      return new Case(
          RandomArrays.normal(random, VOCABULARY_SIZE, 2),
          scores(random, numRecent),
          RandomArrays.ints(random, numRecent, VOCABULARY_SIZE),
          scores(random, numExternal),
          RandomArrays.ints(random, numExternal, VOCABULARY_SIZE));
    }

    private static float[] scores(Random random, int size) {
      float[] scores = new float[size];
      for (int j = 0; j < size; j++) {
        scores[j] = (float) (random.nextGaussian() * 2);
      }
      return scores;
    }

    double vocabularyMass() {
      double sum = 0;
      for (double logit : logits) {
        sum += Math.exp(logit);
      }
      return Math.log(sum);
    }

    MemoryMixing.Masses masses(MemoryMixing mixing, int target) {
      double temperature = mixing.recent().temperature();
      return new MemoryMixing.Masses(
          MemoryMass.of(recent, recentValues, 0, recent.length, target, temperature),
          MemoryMass.of(external, externalValues, 0, external.length, target, temperature),
          MemoryMass.of(
              external,
              externalValues,
              0,
              external.length,
              target,
              mixing.external().temperature()));
    }

    /** Of every token: P_final, the part of it from memory items, that from retrieved ones. */
    double[][] expected(MemoryMixing mixing) {
      double tau = mixing.recent().temperature();
      double ownTau = mixing.external().temperature();
      double lambda = external.length == 0 ? 0 : mixing.external().interpolation().at(Double.NaN);
      double[][] p = new double[3][VOCABULARY_SIZE];
      double vocabulary = Math.exp(vocabularyMass());
      double recentMass = sum(recent, tau);
      double externalMass = sum(external, tau);
      double ownMass = sum(external, ownTau);
      boolean linear = mixing.recent().form() == Mixing.Form.LINEAR;
      double l = linear && recent.length > 0 ? mixing.recent().interpolation() : 0;
      double z =
          linear
              ? vocabulary
              : vocabulary + recentMass + (mixing.external().shared() ? externalMass : 0);
      for (int w = 0; w < VOCABULARY_SIZE; w++) {
        p[0][w] += (1 - lambda) * (1 - l) * Math.exp(logits[w]) / z;
      }
      for (int j = 0; j < recent.length; j++) {
        double mass =
            (1 - lambda)
                * (linear
                    ? l * Math.exp(recent[j] / tau) / recentMass
                    : Math.exp(recent[j] / tau) / z);
        p[0][recentValues[j]] += mass;
        p[1][recentValues[j]] += mass;
      }
      for (int j = 0; j < external.length; j++) {
        double mass = lambda * Math.exp(external[j] / ownTau) / ownMass;
        if (mixing.external().shared()) {
          mass += (1 - lambda) * Math.exp(external[j] / tau) / z;
        }
        for (double[] part : p) {
          part[externalValues[j]] += mass;
        }
      }
      return p;
    }

    private static double sum(float[] scores, double temperature) {
      double sum = 0;
      for (float score : scores) {
        sum += Math.exp(score / temperature);
      }
      return sum;
    }
  }

  private static MemoryMixing randomMixing(Random random) {
    double temperature = 0.3 + 2 * random.nextDouble();
    ExternalMixing external =
        new ExternalMixing(
            false,
            0.3 + random.nextDouble(),
            random.nextInt(4) == 0 ? 0 : 0.9 * random.nextDouble());
    return switch (random.nextInt(3)) {
      case 0 -> new MemoryMixing(Mixing.linear(temperature, 0.9 * random.nextDouble()), external);
      case 1 -> new MemoryMixing(Mixing.shared(temperature), external);
      default ->
          new MemoryMixing(
              Mixing.shared(temperature),
              new ExternalMixing(true, external.temperature(), external.interpolation()));
    };
  }

  @Test
  void equalsThePlainSums() {
    SeededCases.run(
        500,
        random -> {
          Case one = Case.random(random);
          MemoryMixing mixing = randomMixing(random);
          double[][] expected = one.expected(mixing);
          double sum = 0;
          double memoryShare = 0;
          double externalShare = 0;
          for (int w = 0; w < VOCABULARY_SIZE; w++) {
            double found =
                Math.exp(
                    mixing.logProbability(
                        one.vocabularyMass(), one.logits()[w], one.masses(mixing, w)));
            assertThat(found).as("%s", mixing).isCloseTo(expected[0][w], within(1e-6));
            sum += found;
            memoryShare += expected[1][w];
            externalShare += expected[2][w];
          }
          assertThat(sum).isCloseTo(1, within(1e-9));
          MemoryMixing.Masses masses = one.masses(mixing, 0);
          assertThat(mixing.externalShare(one.vocabularyMass(), masses))
              .isCloseTo(externalShare, within(1e-6));
          assertThat(mixing.memoryShare(one.vocabularyMass(), masses))
              .isCloseTo(memoryShare, within(1e-6));
        });
  }

  /** Three linear terms are the nested form. */
  @Test
  void nestedLinearIsThreeTerms() {
    SeededCases.run(
        100,
        random -> {
          Case one = Case.random(random);
          if (one.recent().length == 0 || one.external().length == 0) {
            return;
          }
          double l1 = 0.4 * random.nextDouble();
          double l2 = 0.4 * random.nextDouble();
          MemoryMixing nested =
              new MemoryMixing(Mixing.linear(0.8, l1 / (1 - l2)), ExternalMixing.linear(0.5, l2));
          for (int w = 0; w < VOCABULARY_SIZE; w++) {
            MemoryMixing.Masses masses = one.masses(nested, w);
            double vocabulary = Math.exp(one.logits()[w] - one.vocabularyMass());
            double cache = Math.exp(masses.recent().matching() - masses.recent().all());
            double knn = Math.exp(masses.external().matching() - masses.external().all());
            assertThat(
                    Math.exp(nested.logProbability(one.vocabularyMass(), one.logits()[w], masses)))
                .isCloseTo((1 - l1 - l2) * vocabulary + l1 * cache + l2 * knn, within(1e-12));
          }
        });
  }

  @Test
  void emptyMemoriesLeaveTheVocabulary() {
    MemoryMixing.Masses nothing =
        new MemoryMixing.Masses(MemoryMass.EMPTY, MemoryMass.EMPTY, MemoryMass.EMPTY);
    SeededCases.run(
        30,
        random -> {
          MemoryMixing mixing = randomMixing(random);
          assertThat(mixing.logProbability(2.5, 1, nothing)).isEqualTo(-1.5);
          assertThat(mixing.memoryShare(2.5, nothing)).isZero();
          assertThat(mixing.externalShare(2.5, nothing)).isZero();
        });
  }

  /** Two equal items are one item with ln 2 more, wherever they join. */
  @Test
  void aDuplicateIsLnTwo() {
    for (MemoryMixing mixing :
        new MemoryMixing[] {
          MemoryMixing.PUBLISHED, MemoryMixing.externalOnly(1, 0.3),
        }) {
      double tau = mixing.recent().temperature();
      double own = mixing.external().temperature();
      MemoryMass recent = MemoryMass.of(new float[] {1, 2}, new int[] {1, 2}, 0, 2, 1, tau);
      float[] twice = {0.5f, 0.5f, 1};
      int[] values = {1, 1, 2};
      double found =
          mixing.logProbability(
              3,
              1,
              new MemoryMixing.Masses(
                  recent,
                  MemoryMass.of(twice, values, 0, 3, 1, tau),
                  MemoryMass.of(twice, values, 0, 3, 1, own)));
      double expected =
          mixing.logProbability(
              3, 1, new MemoryMixing.Masses(recent, oneWithLnTwo(tau), oneWithLnTwo(own)));
      assertThat(found).isCloseTo(expected, within(1e-9));
    }
  }

  private static MemoryMass oneWithLnTwo(double temperature) {
    double matching = 0.5 / temperature + Math.log(2);
    return new MemoryMass(MemoryMass.logAdd(matching, 1 / temperature), matching);
  }

  /** Every token as the target, and plain sums, in one distribution that sums to 1. */
  @Test
  void theDistributionHoldsEveryTarget() {
    SeededCases.run(
        500,
        random -> {
          Case one = Case.random(random);
          MemoryMixing mixing = randomMixing(random);
          float[] logits = new float[VOCABULARY_SIZE];
          for (int w = 0; w < VOCABULARY_SIZE; w++) {
            logits[w] = (float) one.logits()[w];
          }
          double[][] expected = one.expected(mixing);
          double[] found =
              TokenDistribution.logProbabilities(
                  mixing,
                  logits,
                  new ItemScores(one.recent(), one.recentValues()),
                  new ItemScores(one.external(), one.externalValues()));
          double mass = TokenDistribution.vocabularyMass(logits);
          assertThat(mass).isCloseTo(one.vocabularyMass(), within(1e-6));
          assertThat(found).hasSize(VOCABULARY_SIZE);
          double sum = 0;
          for (int w = 0; w < VOCABULARY_SIZE; w++) {
            // scores are floats: their differences are rounded from another largest score
            assertThat(found[w])
                .isCloseTo(
                    mixing.logProbability(mass, logits[w], one.masses(mixing, w)), within(1e-6));
            assertThat(Math.exp(found[w])).isCloseTo(expected[0][w], within(1e-6));
            sum += Math.exp(found[w]);
          }
          assertThat(sum).isCloseTo(1, within(1e-6));
        });
  }

  /** Logits far from 0, and a token whose items lie far below all others. */
  @Test
  void theDistributionKeepsUnlikelyTokens() {
    float[] logits = {900, 880, -900};
    ItemScores recent = new ItemScores(new float[] {900, -850, 3}, new int[] {1, 2, 2});
    double[] found =
        TokenDistribution.logProbabilities(
            MemoryMixing.recentOnly(Mixing.shared(1)),
            logits,
            recent,
            new ItemScores(new float[0], new int[0]));
    double all = 900 + Math.log(2 + Math.exp(-20));
    assertThat(found[0]).isCloseTo(900 - all, within(1e-9));
    assertThat(found[1]).isCloseTo(900 + Math.log1p(Math.exp(-20)) - all, within(1e-9));
    assertThat(found[2]).isCloseTo(3 - all, within(1e-9));
    assertThatThrownBy(() -> new ItemScores(new float[2], new int[1]))
        .hasMessageContaining("2 scores and 1 values");
  }

  @Test
  void refusesWhatIsNoMixing() {
    assertThatThrownBy(
            () -> new MemoryMixing(Mixing.linear(1, 0.2), new ExternalMixing(true, 1, 0.1)))
        .hasMessageContaining("share a softmax");
    assertThatThrownBy(() -> ExternalMixing.linear(0, 0.1)).hasMessageContaining("temperature");
    assertThatThrownBy(() -> ExternalMixing.linear(Double.NaN, 0.1))
        .hasMessageContaining("temperature (NaN)");
    assertThatThrownBy(() -> ExternalMixing.linear(1, 1)).hasMessageContaining("interpolation");
  }
}
