package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.ScoredTexts;
import org.lathe.training.memory.MixingTuner.Family;

class MixingTunerTest {
  private static final int NUM_TOKENS = 8;
  private static final int NUM_ITEMS = 12;

  /** With recent memory alone every candidate is measured by itself, from the scores. */
  @Test
  void picksWhatBruteForcePicks() {
    SeededCases.run(
        6,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          MemoryScan scan = new MemoryScan(text, 0.5, 20);
          for (Family family : List.of(Family.SHARED, Family.LINEAR)) {
            double lowest = Double.POSITIVE_INFINITY;
            for (int t = 0; t < MassGrid.NUM_TEMPERATURES; t++) {
              for (double weight : MixingTuner.INTERPOLATIONS) {
                Mixing mixing =
                    family == Family.SHARED
                        ? Mixing.shared(MassGrid.temperature(t))
                        : Mixing.linear(MassGrid.temperature(t), weight);
                lowest = Math.min(lowest, perplexity(text, scan, MemoryMixing.recentOnly(mixing)));
              }
            }
            MixingTuner.Choice choice = MemoryEvaluation.tune(text, scan, null, List.of(family));
            assertThat(choice.perplexity()).isCloseTo(lowest, within(1e-9 * lowest));
            assertThat(perplexity(text, scan, choice.mixing()))
                .isCloseTo(lowest, within(1e-9 * lowest));
          }
        });
  }

  private static double perplexity(ScoredText text, MemoryScan scan, MemoryMixing mixing) {
    return MemoryEvaluation.measure(text, scan, null, mixing).perplexity();
  }

  /** Targets drawn from a known mixture: what is found is not worse than it, and close to it. */
  @ParameterizedTest
  @EnumSource(Family.class)
  void findsAPlantedOptimum(Family family) {
    double temperature = MassGrid.temperature(6);
    ExternalMixing external =
        new ExternalMixing(family == Family.ALL_SHARED, MassGrid.temperature(13), 0.3);
    MemoryMixing planted =
        new MemoryMixing(
            family == Family.LINEAR ? Mixing.linear(temperature, 0.25) : Mixing.shared(temperature),
            external);
    Planted data = new Planted(planted, 4_000, new Random(3));
    MixingTuner tuner =
        new MixingTuner(data.vocabularyMass, data.targetLogits, data.recent, data.external);
    MixingTuner.Choice choice = tuner.best(List.of(family));
    double plantedPerplexity = data.perplexity(planted);
    assertThat(choice.perplexity()).isCloseTo(data.perplexity(choice.mixing()), within(1e-9));
    assertThat(choice.perplexity())
        .isBetween(plantedPerplexity * 0.99, plantedPerplexity * (1 + 1e-9));
    assertThat(choice.mixing().external().interpolation().at(0)).isCloseTo(0.3, within(0.11));
    assertThat(choice.mixing().external().temperature() / MassGrid.temperature(13))
        .isBetween(0.7, 1.42);
    // a memory more is never worse
    assertThat(choice.perplexity())
        .isLessThan(
            new MixingTuner(data.vocabularyMass, data.targetLogits, data.recent, null)
                .best(List.of(Family.values()))
                .perplexity());
    MixingTuner.Choice free = tuner.best(List.of(Family.values()));
    assertThat(free.perplexity()).isLessThanOrEqualTo(choice.perplexity());
  }

  /** A weight for each bucket: found where planted, and never worse than one for all. */
  @ParameterizedTest
  @EnumSource(Family.class)
  void bucketsGetWeightsOfTheirOwn(Family family) {
    InterpolationBuckets buckets =
        new InterpolationBuckets(InterpolationBuckets.Feature.CONFIDENCE, List.of(-2.0, -1.0));
    double[] features = new Random(8).doubles(9_000, -3, 0).toArray();
    ExternalMixing external =
        new ExternalMixing(
            family == Family.ALL_SHARED,
            MassGrid.temperature(13),
            new AdaptiveInterpolation(buckets, List.of(0.6, 0.0, 0.25)));
    double temperature = MassGrid.temperature(6);
    MemoryMixing planted =
        new MemoryMixing(
            family == Family.LINEAR ? Mixing.linear(temperature, 0.25) : Mixing.shared(temperature),
            external);
    Planted data = new Planted(planted, features, new Random(6));
    MixingTuner.Choice constant =
        new MixingTuner(data.vocabularyMass, data.targetLogits, data.recent, data.external)
            .best(List.of(family));
    MixingTuner.Choice adaptive =
        new MixingTuner(
                data.vocabularyMass,
                data.targetLogits,
                data.recent,
                data.external,
                buckets,
                features)
            .best(List.of(family));
    assertThat(adaptive.perplexity()).isCloseTo(data.perplexity(adaptive.mixing()), within(1e-9));
    assertThat(adaptive.perplexity()).isLessThan(constant.perplexity() * 0.99);
    assertThat(adaptive.perplexity()).isLessThanOrEqualTo(data.perplexity(planted) * (1 + 1e-9));
    AdaptiveInterpolation found = adaptive.mixing().external().interpolation();
    assertThat(found.weights().get(0)).isCloseTo(0.6, within(0.11));
    assertThat(found.weights().get(1)).isLessThanOrEqualTo(0.1);
    assertThat(found.weights().get(2)).isCloseTo(0.25, within(0.11));
  }

  /**
   * Also where buckets mean nothing, whatever the families: so many and so small that climbs end in
   * different places.
   */
  @Test
  void adaptiveIsNeverWorseThanConstantOnItsOwnText() {
    SeededCases.run(
        400,
        random -> {
          double[] features = random.doubles(25, 0, 1).toArray();
          Planted data =
              new Planted(
                  new MemoryMixing(Mixing.shared(1), ExternalMixing.linear(0.5, 0.3)),
                  features,
                  random);
          InterpolationBuckets buckets =
              new InterpolationBuckets(
                  InterpolationBuckets.Feature.BEST_SCORE, List.of(0.2, 0.5, 0.7));
          @Nullable MassGrid recent = random.nextBoolean() ? data.recent : null;
          for (List<Family> families : List.of(List.of(Family.LINEAR), List.of(Family.values()))) {
            MixingTuner.Choice constant =
                new MixingTuner(data.vocabularyMass, data.targetLogits, recent, data.external)
                    .best(families);
            MixingTuner.Choice adaptive =
                new MixingTuner(
                        data.vocabularyMass,
                        data.targetLogits,
                        recent,
                        data.external,
                        buckets,
                        features)
                    .best(families);
            assertThat(adaptive.perplexity())
                .isLessThanOrEqualTo(constant.perplexity() * (1 + 1e-12));
          }
        });
  }

  /** Retrieved items alone: the linear form, recent memory without weight. */
  @Test
  void withoutRecentMemory() {
    Planted data = new Planted(MemoryMixing.externalOnly(0.5, 0.4), 3_000, new Random(4));
    MixingTuner.Choice choice =
        new MixingTuner(data.vocabularyMass, data.targetLogits, null, data.external)
            .best(List.of(Family.LINEAR));
    assertThat(choice.mixing().recent().interpolation()).isZero();
    assertThat(choice.mixing().external().interpolation().at(0)).isCloseTo(0.4, within(0.11));
    assertThat(choice.perplexity()).isCloseTo(data.perplexity(choice.mixing()), within(1e-9));
  }

  /** Noise is given no weight. */
  @Test
  void uselessMemoryIsIgnored() {
    Planted data = new Planted(MemoryMixing.recentOnly(Mixing.shared(1)), 4_000, new Random(5));
    MixingTuner.Choice choice =
        new MixingTuner(data.vocabularyMass, data.targetLogits, data.recent, data.external)
            .best(List.of(Family.SHARED));
    assertThat(choice.mixing().external().interpolation().at(0)).isLessThanOrEqualTo(0.05);
  }

  @Test
  void refusesNothing() {
    Planted data = new Planted(MemoryMixing.externalOnly(1, 0.3), 5, new Random(1));
    MixingTuner tuner = new MixingTuner(data.vocabularyMass, data.targetLogits, null, null);
    assertThatThrownBy(() -> tuner.best(List.of())).hasMessageContaining("no family");
    assertThatThrownBy(() -> new MixingTuner(new double[0], new double[0], null, null))
        .hasMessageContaining("no position");
  }

  /** Random logits and items; each target is drawn from the mixture's own distribution. */
  private static final class Planted {
    final double[] vocabularyMass;
    final double[] targetLogits;
    final int[] targets;
    final MassGrid recent;
    final MassGrid external;
    private final float[][] recentScores;
    private final float[][] externalScores;
    private final int[][] recentValues;
    private final int[][] externalValues;
    private final double[] features;

    Planted(MemoryMixing mixing, int numPositions, Random random) {
      this(mixing, new double[numPositions], random);
    }

    Planted(MemoryMixing mixing, double[] features, Random random) {
      int numPositions = features.length;
      this.features = features;
      vocabularyMass = new double[numPositions];
      targetLogits = new double[numPositions];
      targets = new int[numPositions];
      recent = new MassGrid(numPositions);
      external = new MassGrid(numPositions);
      recentScores = new float[numPositions][];
      externalScores = new float[numPositions][];
      recentValues = new int[numPositions][];
      externalValues = new int[numPositions][];
      for (int i = 0; i < numPositions; i++) {
        double[] logits = new double[NUM_TOKENS];
        double sum = 0;
        for (int w = 0; w < NUM_TOKENS; w++) {
          logits[w] = random.nextGaussian() * 1.5;
          sum += Math.exp(logits[w]);
        }
        vocabularyMass[i] = Math.log(sum);
        recentScores[i] = scores(random);
        externalScores[i] = scores(random);
        recentValues[i] = random.ints(NUM_ITEMS, 0, NUM_TOKENS).toArray();
        externalValues[i] = random.ints(NUM_ITEMS, 0, NUM_TOKENS).toArray();
        double left = random.nextDouble();
        int target = -1;
        while (left > 0 && target < NUM_TOKENS - 1) {
          target++;
          targets[i] = target;
          targetLogits[i] = logits[target];
          left -=
              Math.exp(mixing.logProbability(vocabularyMass[i], logits[target], masses(mixing, i)));
        }
        recent.set(i, recentScores[i], recentValues[i], 0, NUM_ITEMS, target);
        external.set(i, externalScores[i], externalValues[i], 0, NUM_ITEMS, target);
      }
    }

    private static float[] scores(Random random) {
      float[] scores = new float[NUM_ITEMS];
      for (int j = 0; j < NUM_ITEMS; j++) {
        scores[j] = (float) (random.nextGaussian() * 1.5);
      }
      return scores;
    }

    private MemoryMixing.Masses masses(MemoryMixing mixing, int i) {
      double temperature = mixing.recent().temperature();
      return new MemoryMixing.Masses(
          MemoryMass.of(recentScores[i], recentValues[i], 0, NUM_ITEMS, targets[i], temperature),
          MemoryMass.of(
              externalScores[i], externalValues[i], 0, NUM_ITEMS, targets[i], temperature),
          MemoryMass.of(
              externalScores[i],
              externalValues[i],
              0,
              NUM_ITEMS,
              targets[i],
              mixing.external().temperature()),
          features[i]);
    }

    /** By the definition of the mixing, for retrieved items alone as well. */
    double perplexity(MemoryMixing mixing) {
      double sum = 0;
      for (int i = 0; i < targets.length; i++) {
        sum -= mixing.logProbability(vocabularyMass[i], targetLogits[i], masses(mixing, i));
      }
      return Math.exp(sum / targets.length);
    }
  }
}
