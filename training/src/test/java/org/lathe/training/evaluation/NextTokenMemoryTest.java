package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/** Equations 5 and 6 for every token, summed item by item from the keys. */
class NextTokenMemoryTest {
  private static final double SCALE = 0.4;
  private static final int VOCABULARY_SIZE = 5;
  private static final int NEIGHBORS = 6;

  /** What a model might say after random tokens, and a store of another text. */
  private record Case(int[] tokens, NextTokenScorer.Scored scored, int width, KeyStore store) {

    static Case random(Random random) {
      int width = 1 + random.nextInt(6);
      int[] tokens = random.ints(1 + random.nextInt(12), 0, VOCABULARY_SIZE).toArray();
      return new Case(
          tokens,
          new NextTokenScorer.Scored(
              normal(random, VOCABULARY_SIZE), normal(random, tokens.length * width)),
          width,
          KeyStore.of(
              ScoredTexts.random(random, 2 + random.nextInt(20), 10, 5, width),
              position -> position / 7));
    }

    private static float[] normal(Random random, int size) {
      float[] values = new float[size];
      for (int i = 0; i < size; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return values;
    }

    float[] query() {
      return Arrays.copyOfRange(scored.taps(), (tokens.length - 1) * width, tokens.length * width);
    }

    /** s of the inner product or of half the squared distance, as the store is searched. */
    double score(Metric metric, float[] keys, int item) {
      float[] query = query();
      double sum = ExternalMemories.nearness(metric, query, keys, item);
      if (metric == Metric.SQUARED_L2) {
        for (float q : query) {
          sum -= (double) q * q / 2;
        }
      }
      return SCALE * sum;
    }

    Integer[] nearest(Metric metric) {
      Integer[] order = new Integer[store.numItems()];
      Arrays.setAll(order, item -> item);
      Arrays.sort(
          order,
          (a, b) -> Double.compare(score(metric, store.keys(), b), score(metric, store.keys(), a)));
      return Arrays.copyOf(order, Math.min(NEIGHBORS, order.length));
    }

    /**
     * Mass of each token: in row 0 of the vocabulary, then local, then external.
     *
     * @param metric null = no store
     */
    double[][] parts(MemoryMixing mixing, @Nullable Metric metric) {
      double tau = mixing.recent().temperature();
      double ownTau = mixing.external().temperature();
      double[][] first = new double[3][VOCABULARY_SIZE];
      double[] own = new double[VOCABULARY_SIZE];
      for (int w = 0; w < VOCABULARY_SIZE; w++) {
        first[0][w] = Math.exp(scored.logits()[w]);
      }
      for (int j = 0; j + 1 < tokens.length; j++) {
        first[1][tokens[j + 1]] += Math.exp(score(Metric.INNER_PRODUCT, scored.taps(), j) / tau);
      }
      if (metric != null) {
        for (int item : nearest(metric)) {
          double s = score(metric, store.keys(), item);
          first[2][store.value(item)] += mixing.external().shared() ? Math.exp(s / tau) : 0;
          own[store.value(item)] += Math.exp(s / ownTau);
        }
      }
      double lambda = metric == null ? 0 : mixing.external().interpolation().constantWeight();
      boolean linear = mixing.recent().form() == Mixing.Form.LINEAR;
      double z = sum(first[0]) + sum(first[1]) + sum(first[2]);
      double weight = tokens.length > 1 ? mixing.recent().interpolation() : 0;
      double[][] parts = new double[3][VOCABULARY_SIZE];
      for (int w = 0; w < VOCABULARY_SIZE; w++) {
        for (int part = 0; part < 3; part++) {
          parts[part][w] = (1 - lambda) * first[part][w] / z;
        }
        if (linear) {
          parts[0][w] = (1 - lambda) * (1 - weight) * first[0][w] / sum(first[0]);
          parts[1][w] = weight == 0 ? 0 : (1 - lambda) * weight * first[1][w] / sum(first[1]);
        }
        parts[2][w] += metric == null ? 0 : lambda * own[w] / sum(own);
      }
      return parts;
    }

    private static double sum(double[] values) {
      return Arrays.stream(values).sum();
    }
  }

  private static MemoryMixing mixing(Random random) {
    double tau = 0.5 + random.nextDouble();
    double lambda = random.nextInt(4) == 0 ? 0 : 0.8 * random.nextDouble();
    ExternalMixing interpolated = ExternalMixing.linear(0.3 + random.nextDouble(), lambda);
    return switch (random.nextInt(3)) {
      case 0 ->
          new MemoryMixing(
              Mixing.shared(tau), new ExternalMixing(true, interpolated.temperature(), lambda));
      case 1 -> new MemoryMixing(Mixing.shared(tau), interpolated);
      default ->
          new MemoryMixing(
              Mixing.linear(tau, random.nextInt(3) == 0 ? 0 : 0.9 * random.nextDouble()),
              interpolated);
    };
  }

  @Test
  void everyTokenEqualsThePlainSums() {
    SeededCases.run(
        200,
        random -> {
          Case one = Case.random(random);
          MemoryMixing mixing = mixing(random);
          @Nullable Metric metric =
              random.nextInt(4) == 0 ? null : Metric.values()[random.nextInt(2)];
          NextToken next =
              new NextTokenMemory(
                      SCALE,
                      mixing,
                      metric == null ? null : ExternalMemories.of(one.store(), metric, NEIGHBORS),
                      NEIGHBORS)
                  .after(one.tokens(), one.scored());
          double[][] parts = one.parts(mixing, metric);
          double[] found = next.logProbabilities();
          assertThat(Arrays.stream(found).map(Math::exp).sum()).isCloseTo(1, within(1e-6));
          for (int w = 0; w < VOCABULARY_SIZE; w++) {
            double expected = parts[0][w] + parts[1][w] + parts[2][w];
            assertThat(Math.exp(found[w])).isCloseTo(expected, within(1e-5));
            Attribution.OfToken apart = next.explain(w);
            assertThat(apart.token()).isEqualTo(w);
            assertThat(apart.probability()).isCloseTo(Math.exp(found[w]), within(1e-6));
            assertThat(apart.vocabularyShare()).isCloseTo(parts[0][w] / expected, within(1e-4));
            assertThat(apart.recentShare()).isCloseTo(parts[1][w] / expected, within(1e-4));
            assertThat(apart.externalShare()).isCloseTo(parts[2][w] / expected, within(1e-4));
            itemsAreThoseOfTheToken(one, apart);
          }
        });
  }

  private static void itemsAreThoseOfTheToken(Case one, Attribution.OfToken apart) {
    double sum = 0;
    double last = 1;
    for (Attribution.Item item : apart.items()) {
      assertThat(item.value()).isEqualTo(apart.token());
      assertThat(item.position()).isEqualTo(item.item());
      if (item.external()) {
        assertThat(one.store().value(item.item())).isEqualTo(apart.token());
        assertThat(item.document()).isEqualTo(item.item() / 7);
      } else {
        assertThat(one.tokens()[item.item() + 1]).isEqualTo(apart.token());
      }
      assertThat(item.share()).isPositive().isLessThanOrEqualTo(last);
      last = item.share() + 1e-12;
      sum += item.share();
    }
    assertThat(sum + apart.vocabularyShare()).isCloseTo(1, within(1e-9));
  }

  @Test
  void aTokenWithoutProbabilityCannotBeExplained() {
    NextToken next =
        new NextTokenMemory(SCALE, MemoryMixing.PUBLISHED, null, 1)
            .after(
                new int[] {0},
                new NextTokenScorer.Scored(new float[] {0, Float.NEGATIVE_INFINITY}, new float[3]));
    assertThat(next.explain(0).vocabularyShare()).isEqualTo(1);
    assertThatThrownBy(() -> next.explain(1)).hasMessageContaining("token 1 has no probability");
  }

  /** The text around an item ends where its document does. */
  @Test
  void tokensAroundAnItem() {
    int[] values = {10, 11, 12, 13, 14, 15, 16, 17, 18};
    KeyStore store = new KeyStore(new float[9], values, 1, new int[] {0, 0, 0, 1, 1, 1, 1, 2, 2});
    assertThat(store.tokensBefore(5, 9)).containsExactly(13, 14);
    assertThat(store.tokensBefore(6, 2)).containsExactly(14, 15);
    assertThat(store.tokensBefore(3, 9)).isEmpty();
    assertThat(store.tokensBefore(1, 9)).containsExactly(10);
    assertThat(store.tokensAfter(3, 9)).containsExactly(14, 15, 16);
    assertThat(store.tokensAfter(3, 2)).containsExactly(14, 15);
    assertThat(store.tokensAfter(6, 9)).isEmpty();
    assertThat(store.tokensAfter(7, 9)).containsExactly(18);
    assertThat(store.tokensAfter(0, 0)).isEmpty();
  }
}
