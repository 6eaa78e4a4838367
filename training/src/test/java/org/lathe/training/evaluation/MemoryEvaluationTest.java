package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;

/** All memories at once against plain sums over items, and taken apart item by item. */
class MemoryEvaluationTest {
  private static final double SCALE = 0.4;

  @Test
  void allMemoriesEqualThePlainSums() {
    SeededCases.run(
        60,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(ScoredTexts.random(random, 40, 10, 5, text.width()));
          int longTermItems = random.nextInt(30);
          MemoryScan recent = new MemoryScan(text, SCALE, longTermItems);
          CachedNeighbors external =
              CachedNeighborsTest.search(
                  text, store, Metric.INNER_PRODUCT, 6, OwnPositions.NONE, 6);
          double tau = 0.5 + random.nextDouble();
          double ownTau = 0.3 + random.nextDouble();
          double lambda = 0.8 * random.nextDouble();
          MemoryMixing mixing =
              new MemoryMixing(Mixing.shared(tau), new ExternalMixing(true, ownTau, lambda));
          MemoryEvaluation.Measured measured =
              MemoryEvaluation.measure(text, recent, external, mixing);
          double loss = 0;
          for (int i = 0; i < text.numPositions(); i++) {
            double expected = plain(text, store, i, longTermItems, tau, ownTau, lambda);
            assertThat(Math.exp(measured.logProbabilities()[i]))
                .isCloseTo(expected, within(1e-4 * expected + 1e-9));
            loss -= Math.log(expected);
          }
          assertThat(Math.log(measured.perplexity()))
              .isCloseTo(loss / text.numPositions(), within(1e-4));
        });
  }

  /** Equations 5 and 6 from the keys themselves. */
  private static double plain(
      ScoredText text,
      KeyStore store,
      int i,
      int longTermItems,
      double tau,
      double ownTau,
      double lambda) {
    int w = ScoredTexts.windowOf(text, i);
    int begin = text.windows().get(w).begin();
    float[] query = ScoredTexts.tap(text, w, i);
    double all = Math.exp(text.vocabularyMass()[i]);
    double right = Math.exp(text.targetLogits()[i]);
    for (int j = Math.max(0, begin - longTermItems); j < i; j++) {
      float[] key = ScoredTexts.tap(text, j < begin ? ScoredTexts.windowOf(text, j) : w, j);
      double mass =
          Math.exp(SCALE * ExternalMemories.nearness(Metric.INNER_PRODUCT, query, key, 0) / tau);
      all += mass;
      right += text.targets()[j] == text.targets()[i] ? mass : 0;
    }
    Integer[] order = new Integer[store.numItems()];
    Arrays.setAll(order, item -> item);
    Arrays.sort(
        order,
        (a, b) ->
            Double.compare(
                ExternalMemories.nearness(Metric.INNER_PRODUCT, query, store.keys(), b),
                ExternalMemories.nearness(Metric.INNER_PRODUCT, query, store.keys(), a)));
    double ownAll = 0;
    double ownRight = 0;
    for (int k = 0; k < 6; k++) {
      double score =
          SCALE * ExternalMemories.nearness(Metric.INNER_PRODUCT, query, store.keys(), order[k]);
      boolean match = store.value(order[k]) == text.targets()[i];
      all += Math.exp(score / tau);
      right += match ? Math.exp(score / tau) : 0;
      ownAll += Math.exp(score / ownTau);
      ownRight += match ? Math.exp(score / ownTau) : 0;
    }
    return (1 - lambda) * right / all + lambda * ownRight / ownAll;
  }

  /** The store is the text itself: no position in two memories, never the answer. */
  @Test
  void noPositionCountsTwice() {
    SeededCases.run(
        60,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(text);
          MemoryScan recent = new MemoryScan(text, SCALE, random.nextInt(30));
          OwnPositions own = OwnPositions.of(text, recent, 0);
          CachedNeighbors external =
              CachedNeighborsTest.search(
                  text, store, Metric.INNER_PRODUCT, 50, own, 50 + own.margin());
          for (int i = 0; i < text.numPositions(); i++) {
            Attribution attribution =
                Attribution.of(
                    i, text, recent, external, store, position -> 0, MemoryMixing.PUBLISHED);
            Set<Long> seen = new HashSet<>();
            for (Attribution.Item item : attribution.items()) {
              assertThat(seen.add(item.position())).as("position %s", item.position()).isTrue();
            }
            assertThat(seen).doesNotContain((long) i);
            // with room for all, every other position is there once
            assertThat(seen).hasSize(Math.min(text.numPositions() - 1, seen.size()));
            if (text.numPositions() <= 50) {
              assertThat(seen).hasSize(text.numPositions() - 1);
            }
          }
        });
  }

  /** Shares of items sum to the memory share, by document as well, in every form of mixing. */
  @Test
  void attributionSumsToTheMemoryShare() {
    SeededCases.run(
        60,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store =
              KeyStore.of(
                  ScoredTexts.random(random, 40, 10, 5, text.width()), position -> position / 7);
          @Nullable MemoryScan recent =
              random.nextInt(4) == 0 ? null : new MemoryScan(text, SCALE, random.nextInt(30));
          @Nullable CachedNeighbors external =
              random.nextInt(4) == 0
                  ? null
                  : CachedNeighborsTest.search(
                      text, store, Metric.SQUARED_L2, 6, OwnPositions.NONE, 6);
          MemoryMixing mixing =
              switch (random.nextInt(3)) {
                case 0 -> MemoryMixing.PUBLISHED;
                case 1 ->
                    new MemoryMixing(Mixing.linear(0.7, 0.2), ExternalMixing.linear(0.5, 0.3));
                default -> new MemoryMixing(Mixing.shared(1.1), ExternalMixing.linear(0.5, 0.3));
              };
          MemoryEvaluation.Measured measured =
              MemoryEvaluation.measure(text, recent, external, mixing);
          for (int i = 0; i < text.numPositions(); i++) {
            Attribution attribution =
                Attribution.of(i, text, recent, external, store, position -> position / 5, mixing);
            assertThat(attribution.memoryShare())
                .isCloseTo(measured.memoryShares()[i], within(1e-5));
            double external1 = 0;
            for (Attribution.Item item : attribution.items()) {
              assertThat(item.share()).isBetween(0.0, 1.0);
              external1 += item.external() ? item.share() : 0;
              assertThat(item.document())
                  .isEqualTo((int) item.position() / (item.external() ? 7 : 5));
            }
            assertThat(external1).isCloseTo(measured.externalShares()[i], within(1e-5));
            double byDocument = 0;
            double last = 1;
            for (Attribution.Document document : attribution.byDocument()) {
              assertThat(document.share()).isLessThanOrEqualTo(last);
              last = document.share();
              byDocument += document.share();
            }
            assertThat(byDocument).isCloseTo(attribution.memoryShare(), within(1e-9));
            // what the vocabulary keeps and what memory gives the target make its probability
            double expected =
                (1 - attribution.memoryShare()) * Math.exp(text.vocabularyLogProbability(i))
                    + attribution.byValue().getOrDefault(text.targets()[i], 0.0);
            assertThat(Math.exp(measured.logProbabilities()[i])).isCloseTo(expected, within(1e-5));
          }
        });
  }

  @Test
  void withoutMemoryIsTheVocabulary() {
    SeededCases.run(
        20,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          MemoryEvaluation.Measured plain = MemoryEvaluation.withoutMemory(text);
          MemoryEvaluation.Measured empty =
              MemoryEvaluation.measure(text, null, null, MemoryMixing.PUBLISHED);
          assertThat(empty.logProbabilities()).isEqualTo(plain.logProbabilities());
          assertThat(plain.meanMemoryShare()).isZero();
          assertThat(empty.meanExternalShare()).isZero();
        });
  }
}
