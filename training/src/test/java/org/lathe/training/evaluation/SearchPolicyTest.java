package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.AdaptiveInterpolation;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.InterpolationBuckets;
import org.lathe.training.memory.InterpolationBuckets.Feature;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;

/** Searches that leave positions out, and candidates that pointers bring. */
class SearchPolicyTest {
  private static final double SCALE = 0.4;

  private record Item(int number, double score) {}

  @Test
  void skipsTheSurestPositions() {
    SeededCases.run(
        50,
        random -> {
          double[] confidence =
              random.doubles(1 + random.nextInt(80)).map(x -> -Math.rint(x * 20)).toArray();
          double share = random.nextDouble();
          SearchPolicy policy = SearchPolicy.skipping(share, confidence, false);
          double numSkipped = Arrays.stream(confidence).filter(c -> !policy.searches(c)).count();
          assertThat(numSkipped / confidence.length).isLessThanOrEqualTo(share);
          double weakest =
              Arrays.stream(confidence).filter(c -> !policy.searches(c)).min().orElse(0);
          double next = Arrays.stream(confidence).filter(policy::searches).max().orElseThrow();
          assertThat(next).isLessThanOrEqualTo(weakest);
          // one equally sure group more would be too many
          double more = Arrays.stream(confidence).filter(c -> c >= next).count();
          assertThat(more / confidence.length).isGreaterThan(share);
        });
    double[] distinct = {-4, -1, -2, -3};
    assertThat(SearchPolicy.skipping(0.5, distinct, true)).isEqualTo(new SearchPolicy(-3, true));
    assertThat(SearchPolicy.skipping(0, distinct, false)).isEqualTo(SearchPolicy.EVERYWHERE);
    assertThatThrownBy(() -> SearchPolicy.skipping(1, distinct, false))
        .hasMessageContaining("skipped positions (1.0)");
  }

  /** More positions than go into one search, so that batches fill across skipped ones. */
  @Test
  void skippedPositionsNeverReachTheSearch() {
    ScoredText text = ScoredTexts.random(new Random(8), 3_000, 16, 8, 3);
    KeyStore store = KeyStore.of(ScoredTexts.random(new Random(9), 30, 9, 4, 3));
    SearchPolicy policy = SearchPolicy.skipping(0.6, text.confidence(), false);
    List<float[]> asked = new ArrayList<>();
    CachedNeighbors everywhere =
        CachedNeighborsTest.search(text, store, Metric.SQUARED_L2, 4, OwnPositions.NONE, 4);
    CachedNeighbors some;
    try (ExternalMemory memory =
        ExternalMemories.partial(store, 30, item -> true, Metric.SQUARED_L2, 4, asked)) {
      some = search(text, memory, 4, OwnPositions.NONE, policy);
    }
    int numAsked = 0;
    for (int i = 0; i < text.numPositions(); i++) {
      if (text.confidence()[i] <= policy.skipAbove()) {
        float[] query = ScoredTexts.tap(text, ScoredTexts.windowOf(text, i), i);
        assertThat(asked.get(numAsked++)).isEqualTo(query);
        for (int k = 0; k < 4; k++) {
          assertThat(some.item(i, k)).isEqualTo(everywhere.item(i, k));
          assertThat(some.score(i, k)).isEqualTo(everywhere.score(i, k));
          assertThat(some.value(i, k)).isEqualTo(everywhere.value(i, k));
        }
      } else {
        assertThat(some.isEmpty(i)).isTrue();
        assertThat(some.mass(i, 1).isEmpty()).isTrue();
      }
    }
    assertThat(asked).hasSize(numAsked);
    assertThat(some.searchedShare()).isEqualTo(numAsked / 3_000.0).isBetween(0.39, 0.41);
    assertThat(everywhere.searchedShare()).isEqualTo(1);
    assertThat(some.pointerShare()).isZero();
    // what is not searched keeps what it has without
    MemoryMixing mixing = MemoryMixing.externalOnly(0.7, 0.3);
    MemoryEvaluation.Measured measured = MemoryEvaluation.measure(text, null, some, mixing);
    for (int i = 0; i < text.numPositions(); i++) {
      if (some.isEmpty(i)) {
        assertThat(measured.logProbabilities()[i]).isEqualTo(text.vocabularyLogProbability(i));
      }
    }
  }

  /**
   * Step by step from the rule: what a search finds that misses most items, and the successors of
   * what the step before kept, in one list without doubles.
   */
  @Test
  void pointersEqualThePlainRule() {
    int[] pointed = {0};
    SeededCases.run(
        150,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          boolean ownStore = random.nextBoolean();
          int perDocument = 3 + random.nextInt(12);
          KeyStore store =
              ownStore
                  ? KeyStore.of(text, position -> position / perDocument)
                  : KeyStore.of(
                      ScoredTexts.random(random, 40, 10, 5, text.width()),
                      position -> position / perDocument);
          int numSearched = Math.max(1, store.numItems() - random.nextInt(5));
          @Nullable MemoryScan recent =
              random.nextBoolean() ? null : new MemoryScan(text, SCALE, random.nextInt(20));
          OwnPositions own =
              ownStore ? OwnPositions.of(text, recent, random.nextInt(2)) : OwnPositions.NONE;
          int neighbors = 1 + random.nextInt(6);
          int step = 1 + random.nextInt(4);
          Metric metric = Metric.values()[random.nextInt(2)];
          SearchPolicy policy =
              SearchPolicy.skipping(random.nextInt(3) * 0.3, text.confidence(), true);
          CachedNeighbors cached;
          try (ExternalMemory memory =
              ExternalMemories.partial(
                  store,
                  numSearched,
                  item -> item % step == 0,
                  metric,
                  neighbors + own.margin(),
                  new ArrayList<>())) {
            cached = search(text, memory, neighbors, own, policy);
          }
          List<Item> before = List.of();
          int numPointed = 0;
          for (int i = 0; i < text.numPositions(); i++) {
            float[] query = ScoredTexts.tap(text, ScoredTexts.windowOf(text, i), i);
            Set<Integer> found = new HashSet<>();
            if (text.confidence()[i] <= policy.skipAbove()) {
              List<Item> searched = new ArrayList<>();
              for (int item = 0; item < numSearched; item += step) {
                if (!own.excludes(i, item)) {
                  searched.add(new Item(item, score(metric, query, store, item)));
                }
              }
              searched.sort(Comparator.comparingDouble(one -> -one.score()));
              searched.stream().limit(neighbors).forEach(one -> found.add(one.number()));
            }
            Set<Integer> candidates = new HashSet<>(found);
            for (Item one : before) {
              int next = one.number() + 1;
              if (next < numSearched && next % perDocument != 0 && !own.excludes(i, next)) {
                candidates.add(next);
              }
            }
            List<Item> best =
                candidates.stream()
                    .map(item -> new Item(item, score(metric, query, store, item)))
                    .sorted(Comparator.comparingDouble(one -> -one.score()))
                    .limit(cached.numNeighbors())
                    .toList();
            for (int k = 0; k < cached.numNeighbors(); k++) {
              if (k >= best.size()) {
                assertThat(cached.item(i, k)).isEqualTo(CachedNeighbors.NOTHING);
                assertThat(cached.score(i, k)).isEqualTo(Float.NEGATIVE_INFINITY);
              } else {
                assertThat(cached.item(i, k)).as("%s of %s", k, i).isEqualTo(best.get(k).number());
                assertThat((double) cached.score(i, k))
                    .isCloseTo(best.get(k).score(), within(1e-4));
                assertThat(cached.value(i, k)).isEqualTo(store.value(best.get(k).number()));
              }
            }
            numPointed += best.stream().anyMatch(one -> !found.contains(one.number())) ? 1 : 0;
            before = best;
          }
          assertThat(cached.pointerShare()).isEqualTo((double) numPointed / text.numPositions());
          pointed[0] += numPointed;
        });
    assertThat(pointed[0]).isGreaterThan(500);
  }

  /** s = SCALE q . k, or -SCALE |q - k|^2 / 2. */
  private static double score(Metric metric, float[] query, KeyStore store, int item) {
    double product = 0;
    double distance = 0;
    for (int d = 0; d < query.length; d++) {
      double k = store.keys()[item * query.length + d];
      product += query[d] * k;
      distance += (query[d] - k) * (query[d] - k);
    }
    return SCALE * (metric == Metric.INNER_PRODUCT ? product : -distance / 2);
  }

  /** Where the search misses nothing, pointers find nothing more. */
  @Test
  void pointersAddNothingToAnExactSearch() {
    SeededCases.run(
        20,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(ScoredTexts.random(random, 50, 9, 4, text.width()));
          CachedNeighbors exact =
              CachedNeighborsTest.search(text, store, Metric.SQUARED_L2, 5, OwnPositions.NONE, 5);
          CachedNeighbors with;
          try (ExternalMemory memory = ExternalMemories.of(store, Metric.SQUARED_L2, 5)) {
            with = search(text, memory, 5, OwnPositions.NONE, new SearchPolicy(0, true));
          }
          assertThat(with.pointerShare()).isZero();
          for (int i = 0; i < text.numPositions(); i++) {
            for (int k = 0; k < 5; k++) {
              assertThat(with.item(i, k)).isEqualTo(exact.item(i, k));
              assertThat(with.score(i, k)).isEqualTo(exact.score(i, k));
            }
          }
        });
  }

  /** Shares of items still sum to the memory share, and make the target's probability. */
  @Test
  void attributionAddsUpWhereInterpolationIsAdaptive() {
    SeededCases.run(
        60,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(ScoredTexts.random(random, 40, 10, 5, text.width()));
          @Nullable MemoryScan recent =
              random.nextInt(3) == 0 ? null : new MemoryScan(text, SCALE, random.nextInt(30));
          SearchPolicy policy = SearchPolicy.skipping(0.4, text.confidence(), random.nextBoolean());
          CachedNeighbors external;
          try (ExternalMemory memory =
              ExternalMemories.partial(
                  store, 40, item -> item % 2 == 0, Metric.INNER_PRODUCT, 6, new ArrayList<>())) {
            external = search(text, memory, 6, OwnPositions.NONE, policy);
          }
          Feature feature = random.nextBoolean() ? Feature.CONFIDENCE : Feature.BEST_SCORE;
          List<Double> thresholds =
              feature == Feature.CONFIDENCE ? List.of(-1.5, -0.3) : List.of(0.2, 0.9);
          AdaptiveInterpolation adaptive =
              new AdaptiveInterpolation(
                  new InterpolationBuckets(feature, thresholds), List.of(0.5, 0.0, 0.2));
          MemoryMixing mixing =
              new MemoryMixing(
                  Mixing.shared(1.1), new ExternalMixing(random.nextBoolean(), 0.5, adaptive));
          MemoryEvaluation.Measured measured =
              MemoryEvaluation.measure(text, recent, external, mixing);
          for (int i = 0; i < text.numPositions(); i++) {
            Attribution attribution =
                Attribution.of(i, text, recent, external, store, position -> 0, mixing);
            assertThat(attribution.memoryShare())
                .isCloseTo(measured.memoryShares()[i], within(1e-5));
            double expected =
                (1 - attribution.memoryShare()) * Math.exp(text.vocabularyLogProbability(i))
                    + attribution.byValue().getOrDefault(text.targets()[i], 0.0);
            assertThat(Math.exp(measured.logProbabilities()[i])).isCloseTo(expected, within(1e-5));
            if (!mixing.external().shared()) {
              double value =
                  feature == Feature.CONFIDENCE ? text.confidence()[i] : external.score(i, 0);
              double lambda =
                  value < thresholds.get(0) ? 0.5 : value < thresholds.get(1) ? 0.0 : 0.2;
              assertThat(measured.externalShares()[i]).isEqualTo(external.isEmpty(i) ? 0 : lambda);
            }
          }
        });
  }

  private static CachedNeighbors search(
      ScoredText text,
      ExternalMemory memory,
      int neighbors,
      OwnPositions own,
      SearchPolicy policy) {
    return CachedNeighbors.search(
        text, memory, SCALE, neighbors, own, policy, ProgressListener.NONE);
  }
}
