package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.MassGrid;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryScan;

class CachedNeighborsTest {
  private static final double SCALE = 0.4;

  /** Against a sorted list of all pairs, with and without positions that must not be seen. */
  @Test
  void areTheBestOfWhatMayBeSeen() {
    SeededCases.run(
        100,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(text);
          Metric metric = Metric.values()[random.nextInt(2)];
          @Nullable MemoryScan recent =
              random.nextBoolean() ? null : new MemoryScan(text, SCALE, random.nextInt(20));
          int radius = random.nextInt(3);
          OwnPositions own =
              random.nextInt(4) == 0 ? OwnPositions.NONE : OwnPositions.of(text, recent, radius);
          int neighbors = 1 + random.nextInt(8);
          CachedNeighbors cached =
              search(text, store, metric, neighbors, own, neighbors + own.margin());
          for (int i = 0; i < text.numPositions(); i++) {
            float[] query = ScoredTexts.tap(text, ScoredTexts.windowOf(text, i), i);
            List<Double> expected = new ArrayList<>();
            for (int item = 0; item < store.numItems(); item++) {
              int oldest = recent == null ? i : recent.oldestVisible(i);
              boolean hidden =
                  own != OwnPositions.NONE
                      && (item >= oldest && item <= i || Math.abs(item - i) <= radius);
              if (!hidden) {
                expected.add(SCALE * score(metric, query, store, item));
              }
            }
            expected.sort(Comparator.reverseOrder());
            for (int k = 0; k < cached.numNeighbors(); k++) {
              if (k >= expected.size()) {
                assertThat(cached.item(i, k)).isEqualTo(CachedNeighbors.NOTHING);
                assertThat(cached.value(i, k)).isEqualTo(CachedNeighbors.NOTHING);
                assertThat(cached.score(i, k)).isEqualTo(Float.NEGATIVE_INFINITY);
              } else {
                assertThat((double) cached.score(i, k)).isCloseTo(expected.get(k), within(1e-4));
                assertThat(cached.value(i, k)).isEqualTo(store.value(cached.item(i, k)));
                if (own != OwnPositions.NONE) {
                  assertThat(cached.item(i, k)).as("itself").isNotEqualTo(i);
                }
              }
            }
          }
        });
  }

  /** q . k, or -|q - k|^2 / 2. */
  private static double score(Metric metric, float[] query, KeyStore store, int item) {
    double product = 0;
    double distance = 0;
    for (int d = 0; d < query.length; d++) {
      double k = store.keys()[item * query.length + d];
      product += query[d] * k;
      distance += (query[d] - k) * (query[d] - k);
    }
    return metric == Metric.INNER_PRODUCT ? product : -distance / 2;
  }

  /** Without the rule each position finds itself first by distance, and with it never. */
  @Test
  void leaveOneOut() {
    ScoredText text = ScoredTexts.random(new Random(1), 40, 8, 4);
    KeyStore store = KeyStore.of(text);
    CachedNeighbors all = search(text, store, Metric.SQUARED_L2, 5, OwnPositions.NONE, 5);
    assertThat(all.recall(1)).isEqualTo(1);
    OwnPositions own = OwnPositions.of(text, null, 0);
    assertThat(own.margin()).isEqualTo(1);
    CachedNeighbors others = search(text, store, Metric.SQUARED_L2, 5, own, 6);
    assertThat(others.recall(1)).isLessThan(0.6);
    for (int i = 0; i < text.numPositions(); i++) {
      assertThat(all.item(i, 0)).isEqualTo(i);
      assertThat(others.item(i, 0)).isEqualTo(all.item(i, 1));
    }
  }

  @Test
  void recallAndMassesAreThoseOfTheItems() {
    SeededCases.run(
        30,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(ScoredTexts.random(random, 50, 9, 4, text.width()));
          CachedNeighbors cached =
              search(text, store, Metric.INNER_PRODUCT, 4, OwnPositions.NONE, 4);
          MassGrid grid = cached.masses();
          int[] hits = new int[5];
          for (int i = 0; i < text.numPositions(); i++) {
            boolean hit = false;
            double all = 0;
            double matching = 0;
            for (int k = 0; k < 4; k++) {
              hit |= cached.value(i, k) == text.targets()[i];
              hits[k + 1] += hit ? 1 : 0;
              double mass = Math.exp(cached.score(i, k) / MassGrid.temperature(9));
              all += mass;
              matching += cached.value(i, k) == text.targets()[i] ? mass : 0;
            }
            MemoryMass mass = cached.mass(i, MassGrid.temperature(9));
            assertThat(mass.all()).isCloseTo(Math.log(all), within(1e-5));
            assertThat(Math.exp(mass.matching())).isCloseTo(matching, within(1e-4 * all));
            assertThat(grid.at(i, 9).all()).isCloseTo(mass.all(), within(1e-9));
          }
          for (int k = 1; k <= 4; k++) {
            assertThat(cached.recall(k)).isEqualTo((double) hits[k] / text.numPositions());
          }
          assertThat(cached.recall(99)).isEqualTo(cached.recall(4));
        });
  }

  @Test
  void refusesKeysOfAnotherModel() {
    ScoredText text = ScoredTexts.random(new Random(1), 10, 5, 2, 3);
    KeyStore store = KeyStore.of(ScoredTexts.random(new Random(1), 10, 5, 2, 4));
    assertThatThrownBy(() -> search(text, store, Metric.SQUARED_L2, 1, OwnPositions.NONE, 1))
        .hasMessageContaining("keys of width 4, the model of width 3");
    assertThatThrownBy(() -> OwnPositions.of(text, null, -1)).hasMessageContaining("radius (-1)");
  }

  @Test
  void recallOfAnotherSearch() {
    ScoredText text = ScoredTexts.random(new Random(2), 40, 8, 4, 3);
    KeyStore store = KeyStore.of(text);
    CachedNeighbors all = search(text, store, Metric.SQUARED_L2, 40, OwnPositions.NONE, 40);
    CachedNeighbors half =
        search(text, store.first(20), Metric.SQUARED_L2, 40, OwnPositions.NONE, 40);
    assertThat(all.recall(all)).isEqualTo(1);
    assertThat(half.numNeighbors()).isEqualTo(20);
    assertThatThrownBy(() -> half.recall(all)).hasMessageContaining("not of the same queries");
    CachedNeighbors one = search(text, store, Metric.SQUARED_L2, 1, OwnPositions.NONE, 1);
    CachedNeighbors other = search(text, store, Metric.INNER_PRODUCT, 1, OwnPositions.NONE, 1);
    int equal = 0;
    for (int i = 0; i < text.numPositions(); i++) {
      equal += one.item(i, 0) == other.item(i, 0) ? 1 : 0;
    }
    assertThat(equal).isBetween(1, 39);
    assertThat(one.recall(other)).isEqualTo(equal / 40.0);
  }

  static CachedNeighbors search(
      ScoredText text,
      KeyStore store,
      Metric metric,
      int neighbors,
      OwnPositions own,
      int searched) {
    try (ExternalMemory memory = ExternalMemories.of(store, metric, searched)) {
      return CachedNeighbors.search(text, memory, SCALE, neighbors, own, ProgressListener.NONE);
    }
  }
}
