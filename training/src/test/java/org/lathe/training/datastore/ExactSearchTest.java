package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.training.datastore.NeighborSearch.Metric;

/**
 * Against brute force. Keys and queries are sixteenths of small whole numbers, so that every
 * product and sum is exact in float32: the same neighbours in the same order, nothing less.
 */
class ExactSearchTest {
  /** Two blocks of 16,384 and a rest, and two runs of 512 queries and a rest. */
  private static final int MANY_KEYS = 2 * 16_384 + 7;

  private static final int SIXTEENTHS = 16;

  @ParameterizedTest
  @CsvSource({
    // the second range is so small that most keys have equals, in other blocks too
    "INNER_PRODUCT, 4, 200",
    "INNER_PRODUCT, 2, 3",
    "SQUARED_L2, 4, 200",
    "SQUARED_L2, 2, 3",
  })
  void equalsBruteForceOverSeveralBlocks(Metric metric, int width, int range) {
    check(metric, MANY_KEYS, width, range, 40, 12);
  }

  @ParameterizedTest
  @CsvSource({"INNER_PRODUCT, 1030", "SQUARED_L2, 513", "SQUARED_L2, 512", "INNER_PRODUCT, 1"})
  void equalsBruteForceOverSeveralRuns(Metric metric, int numQueries) {
    check(metric, 150, 5, 4, numQueries, 9);
  }

  /** The last block holds fewer keys than are wanted; a store may hold fewer than asked. */
  @ParameterizedTest
  @CsvSource({"16391, 20", "16384, 20", "16385, 16", "5, 20", "1, 3"})
  void smallBlocks(int numKeys, int neighbors) {
    for (Metric metric : Metric.values()) {
      check(metric, numKeys, 3, 50, 6, neighbors);
    }
  }

  @Test
  void refusesBrokenRows() {
    assertThatThrownBy(() -> new ExactSearch(new float[7], 3, 1, Metric.INNER_PRODUCT, 1))
        .hasMessageContaining("7 values are not rows of width 3");
    assertThatThrownBy(() -> new ExactSearch(new float[0], 3, 1, Metric.INNER_PRODUCT, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void check(
      Metric metric, int numKeys, int width, int range, int numQueries, int neighbors) {
    Random random = new Random(numKeys + 31L * range);
    float[] keys = sixteenths(random, numKeys * width, range);
    float[] queries = sixteenths(random, numQueries * width, range);
    NeighborSearch.Neighbors found;
    try (ExactSearch search = new ExactSearch(keys, width, neighbors, metric, 1)) {
      assertThat(search.numKeys()).isEqualTo(numKeys);
      found = search.search(queries);
    }
    int expectedNumber = Math.min(neighbors, numKeys);
    assertThat(found.numNeighbors()).isEqualTo(expectedNumber);
    for (int q = 0; q < numQueries; q++) {
      double[] nearness = nearness(metric, keys, queries, q, width);
      int[] expected = best(nearness, expectedNumber);
      int begin = q * expectedNumber;
      assertThat(Arrays.copyOfRange(found.items(), begin, begin + expectedNumber))
          .as("neighbours of query %s", q)
          .isEqualTo(expected);
      for (int j = 0; j < expectedNumber; j++) {
        assertThat((double) found.scores()[begin + j]).isEqualTo(nearness[expected[j]]);
      }
    }
  }

  /** q . k, or (|q|^2 - |q - k|^2) / 2, in double. */
  private static double[] nearness(
      Metric metric, float[] keys, float[] queries, int query, int width) {
    double[] nearness = new double[keys.length / width];
    for (int i = 0; i < nearness.length; i++) {
      double product = 0;
      double norm = 0;
      double distance = 0;
      for (int d = 0; d < width; d++) {
        double q = queries[query * width + d];
        double k = keys[i * width + d];
        product += q * k;
        norm += q * q;
        distance += (q - k) * (q - k);
      }
      nearness[i] = metric == Metric.INNER_PRODUCT ? product : (norm - distance) / 2;
    }
    return nearness;
  }

  /** The largest first, of equal ones the earlier; by insertion into a short list. */
  private static int[] best(double[] nearness, int number) {
    int[] best = new int[number];
    int size = 0;
    for (int i = 0; i < nearness.length; i++) {
      int at = size;
      while (at > 0 && nearness[i] > nearness[best[at - 1]]) {
        at--;
      }
      if (at < number) {
        int last = Math.min(size, number - 1);
        System.arraycopy(best, at, best, at + 1, last - at);
        best[at] = i;
        size = Math.min(size + 1, number);
      }
    }
    return best;
  }

  private static float[] sixteenths(Random random, int size, int range) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) (random.nextInt(2 * range + 1) - range) / SIXTEENTHS;
    }
    return values;
  }
}
