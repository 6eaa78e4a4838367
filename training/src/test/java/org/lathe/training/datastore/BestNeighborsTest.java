package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.testdata.SeededCases;

/** Against a list that is sorted whole. */
class BestNeighborsTest {
  private static final int NUM_QUERIES = 3;

  private record Offer(float score, int item) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 10, 16, 17, 63, 64, 65, 200})
  void areTheFirstOfASortedList(int neighbors) {
    SeededCases.run(
        30,
        random -> {
          BestNeighbors best = new BestNeighbors(NUM_QUERIES, neighbors);
          float[] scores = new float[NUM_QUERIES * neighbors];
          int[] items = new int[scores.length];
          List<List<Offer>> all = new ArrayList<>();
          for (int query = 0; query < NUM_QUERIES; query++) {
            List<Offer> offers = offers(random, random.nextInt(12 * neighbors));
            offer(best, query, offers, random);
            all.add(offers);
          }
          best.sortInto(0, 1, scores, items, 0);
          best.sortInto(1, NUM_QUERIES, scores, items, 0);
          for (int query = 0; query < NUM_QUERIES; query++) {
            List<Offer> expected = sorted(all.get(query));
            for (int k = 0; k < neighbors; k++) {
              int at = query * neighbors + k;
              boolean there = k < expected.size();
              assertThat(items[at]).isEqualTo(there ? expected.get(k).item() : 0);
              assertThat(scores[at] == (there ? expected.get(k).score() : Float.NEGATIVE_INFINITY))
                  .isTrue();
            }
          }
        });
  }

  /** Few different scores or many, ascending, descending or mixed, and some that never count. */
  private static List<Offer> offers(Random random, int number) {
    int different = random.nextBoolean() ? 5 : 1_000_000;
    List<Offer> offers = new ArrayList<>();
    for (int item = 0; item < number; item++) {
      float score = random.nextInt(different) - different / 2;
      if (random.nextInt(50) == 0) {
        float[] special = {
          -0f, Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, -Float.MAX_VALUE
        };
        score = special[random.nextInt(special.length)];
      }
      offers.add(new Offer(score, item));
    }
    Collections.shuffle(offers, random);
    Comparator<Offer> ascending = Comparator.comparingDouble(Offer::score);
    switch (random.nextInt(3)) {
      case 0 -> offers.sort(ascending);
      case 1 -> offers.sort(ascending.reversed());
      default -> {}
    }
    return offers;
  }

  /** In parts, as lists come, the first of them one by one. */
  private static void offer(BestNeighbors best, int query, List<Offer> offers, Random random) {
    int begin = 0;
    for (; begin < offers.size() / 10; begin++) {
      best.offer(query, offers.get(begin).score(), offers.get(begin).item());
    }
    while (begin < offers.size()) {
      int size = Math.min(offers.size() - begin, 1 + random.nextInt(100));
      float[] scores = new float[size + 1];
      int[] items = new int[size + 2];
      for (int i = 0; i < size; i++) {
        scores[1 + i] = offers.get(begin + i).score();
        items[2 + i] = offers.get(begin + i).item();
      }
      best.offerAll(query, scores, 1, items, 2, size);
      begin += size;
    }
  }

  private static List<Offer> sorted(List<Offer> offers) {
    return offers.stream()
        .filter(offer -> offer.score() > Float.NEGATIVE_INFINITY)
        .sorted(
            (a, b) ->
                a.score() == b.score()
                    ? Integer.compare(a.item(), b.item())
                    : a.score() > b.score() ? -1 : 1)
        .toList();
  }

  /** The best stand where a full row is sampled: what the samples say of the row is wrong. */
  @ParameterizedTest
  @ValueSource(ints = {64, 100, 200})
  void misleadingSamplesLoseNothing(int neighbors) {
    int capacity = 2 * neighbors;
    List<Offer> offers = new ArrayList<>();
    for (int item = 0; item < capacity; item++) {
      offers.add(new Offer(-item, item));
    }
    for (int i = 0; i < 32; i++) {
      int at = i * capacity / 32;
      offers.set(at, new Offer(1000 + i, at));
    }
    BestNeighbors best = new BestNeighbors(1, neighbors);
    offers.forEach(offer -> best.offer(0, offer.score(), offer.item()));
    float[] scores = new float[neighbors];
    int[] items = new int[neighbors];
    best.sortInto(0, 1, scores, items, 0);
    assertThat(items)
        .containsExactly(sorted(offers).stream().limit(neighbors).mapToInt(Offer::item).toArray());
  }

  @Test
  void largeItemsKeepTheirNumbers() {
    BestNeighbors best = new BestNeighbors(1, 2);
    best.offer(0, -1.5f, Integer.MAX_VALUE);
    best.offer(0, -1.5f, Integer.MAX_VALUE - 1);
    best.offer(0, -1e30f, 3);
    float[] scores = new float[3];
    int[] items = new int[3];
    best.sortInto(0, 1, scores, items, 1);
    assertThat(items).containsExactly(0, Integer.MAX_VALUE - 1, Integer.MAX_VALUE);
    assertThat(scores).containsExactly(0, -1.5f, -1.5f);
  }
}
