package org.lathe.training.datastore;

import java.util.Arrays;

/**
 * The best K of all that is offered to each of Q queries. Of equal scores the lower item is better,
 * so that the order of offers does not matter. Negative infinity and NaN are never among them.
 *
 * <p>What may still be among the best is appended to a row of about 2 K; a full row is cut back to
 * its better part, whose worst is the bar for everything later. That takes a few steps an item,
 * where a heap takes log K comparisons that a processor cannot foresee.
 *
 * <p>An item and its score are one number, whose ascending order is that of the best first. Safe
 * for several threads as long as no two are at one query.
 */
final class BestNeighbors {
  private static final int MIN_CAPACITY = 32;

  /** Shorter rows are sorted whole. */
  private static final int MIN_SAMPLED = 128;

  private static final int NUM_SAMPLES = 32;

  /** The pivot leaves about two thirds of a row: mostly more than K, which is half of it. */
  private static final int PIVOT_RANK = 21;

  private final int numNeighbors;
  private final int capacity;
  private final long[] rows;
  private final int[] sizes;

  /** The lowest score that may still be among the best. */
  private final float[] bars;

  BestNeighbors(int numQueries, int numNeighbors) {
    this.numNeighbors = numNeighbors;
    capacity = Math.max(MIN_CAPACITY, Math.multiplyExact(2, numNeighbors));
    rows = new long[Math.multiplyExact(numQueries, capacity)];
    sizes = new int[numQueries];
    bars = new float[numQueries];
    Arrays.fill(bars, -Float.MAX_VALUE);
  }

  /** Offers scores [from, from + number) with items [fromItem, fromItem + number). */
  void offerAll(
      int query, float[] offered, int from, int[] offeredItems, int fromItem, int number) {
    float bar = bars[query];
    for (int i = 0; i < number; i++) {
      // nearly all end here
      if (offered[from + i] >= bar) {
        append(query, offered[from + i], offeredItems[fromItem + i]);
        bar = bars[query];
      }
    }
  }

  void offer(int query, float score, int item) {
    if (score >= bars[query]) {
      append(query, score, item);
    }
  }

  private void append(int query, float score, int item) {
    int begin = query * capacity;
    rows[begin + sizes[query]++] = entry(score, item);
    if (sizes[query] == capacity) {
      sizes[query] = cut(query, begin);
    }
  }

  /** Keeps at least the best K of a full row, raises the bar, and says how many it kept. */
  private int cut(int query, int begin) {
    if (capacity >= MIN_SAMPLED) {
      long pivot = pivot(begin);
      int atMostPivot = 0;
      for (int i = begin; i < begin + capacity; i++) {
        atMostPivot += rows[i] <= pivot ? 1 : 0;
      }
      if (atMostPivot >= numNeighbors && atMostPivot < capacity) {
        int kept = begin;
        for (int i = begin; i < begin + capacity; i++) {
          long entry = rows[i];
          rows[kept] = entry;
          kept += entry <= pivot ? 1 : 0;
        }
        bars[query] = score(pivot);
        return atMostPivot;
      }
    }
    Arrays.sort(rows, begin, begin + capacity);
    bars[query] = score(rows[begin + numNeighbors - 1]);
    return numNeighbors;
  }

  private long pivot(int begin) {
    long[] samples = new long[NUM_SAMPLES];
    for (int i = 0; i < NUM_SAMPLES; i++) {
      samples[i] = rows[begin + (int) ((long) i * capacity / NUM_SAMPLES)];
    }
    Arrays.sort(samples);
    return samples[PIVOT_RANK];
  }

  /**
   * Writes the neighbours of queries [from, to), best first; where there are fewer than K, score
   * negative infinity and item 0. Nothing may be offered to them afterwards.
   *
   * @param at place of query 0 in the targets
   */
  void sortInto(int from, int to, float[] sortedScores, int[] sortedItems, int at) {
    for (int query = from; query < to; query++) {
      int begin = query * capacity;
      int size = sizes[query];
      Arrays.sort(rows, begin, begin + size);
      int place = at + query * numNeighbors;
      for (int i = 0; i < numNeighbors; i++) {
        sortedScores[place + i] = i < size ? score(rows[begin + i]) : Float.NEGATIVE_INFINITY;
        sortedItems[place + i] = i < size ? (int) rows[begin + i] : 0;
      }
    }
  }

  /** The score's bits in the order of the scores, turned round, above the item. */
  private static long entry(float score, int item) {
    // a sum, because -0 and 0 are equal scores with different bits
    return ((long) ~inOrder(Float.floatToRawIntBits(score + 0f)) << Integer.SIZE) | item;
  }

  private static float score(long entry) {
    return Float.intBitsToFloat(inOrder(~(int) (entry >> Integer.SIZE)));
  }

  /**
   * Turns the bits of negative numbers round, so that all sort as whole numbers; its own inverse.
   */
  private static int inOrder(int bits) {
    return bits ^ ((bits >> (Integer.SIZE - 1)) & Integer.MAX_VALUE);
  }
}
