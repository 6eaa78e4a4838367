package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.HashSet;
import java.util.Set;
import org.lathe.graphs.config.MemoryConfig;

/**
 * Finds the stored keys nearest to a query. An index knows keys and item numbers only; values,
 * positions and documents of the items are asked of {@link MemoryItems}.
 */
public interface NeighborSearch extends AutoCloseable {

  /** What "near" means. */
  enum Metric {
    /** Highest q . k first (TRIME). */
    INNER_PRODUCT,
    /** Lowest |q - k|^2 first (kNN-LM). */
    SQUARED_L2;

    /** What fits a model that was trained so. */
    public static Metric of(MemoryConfig.MemoryObjective objective) {
      return objective == MemoryConfig.MemoryObjective.NONE ? SQUARED_L2 : INNER_PRODUCT;
    }

    /**
     * The score of one pair as {@link Neighbors} gives it, summed in double.
     *
     * @param query where q begins in queries
     * @param key where k begins in keys
     */
    public float score(float[] queries, int query, float[] keys, int key, int width) {
      double product = 0;
      double norm = 0;
      for (int d = 0; d < width; d++) {
        double k = keys[key + d];
        product += k * queries[query + d];
        norm += k * k;
      }
      return (float) (this == SQUARED_L2 ? product - norm / 2 : product);
    }
  }

  /**
   * Neighbours of Q queries, best first, row-major (Q, K). Where an index finds fewer than K, the
   * rest have the score negative infinity and item 0.
   *
   * @param scores q . k, or q . k - |k|^2 / 2 = (|q|^2 - |q - k|^2) / 2 for SQUARED_L2
   * @param items indices of keys
   */
  record Neighbors(int numNeighbors, float[] scores, int[] items) {

    /**
     * Recall: the part of the true neighbours that are among these.
     *
     * @param expected true neighbours of the same queries, as many of each
     */
    public double recall(Neighbors expected) {
      Preconditions.checkArgument(
          items.length == expected.items.length && numNeighbors == expected.numNeighbors,
          "%s and %s neighbours are not of the same queries",
          items.length,
          expected.items.length);
      int hits = 0;
      int numExpected = 0;
      for (int begin = 0; begin < items.length; begin += numNeighbors) {
        Set<Integer> found = new HashSet<>();
        for (int i = begin; i < begin + numNeighbors; i++) {
          if (scores[i] > Float.NEGATIVE_INFINITY) {
            found.add(items[i]);
          }
        }
        for (int i = begin; i < begin + numNeighbors; i++) {
          if (expected.scores[i] > Float.NEGATIVE_INFINITY) {
            numExpected++;
            hits += found.contains(expected.items[i]) ? 1 : 0;
          }
        }
      }
      return (double) hits / numExpected;
    }
  }

  /** D of the keys. */
  int width();

  int numKeys();

  /** So many queries take less time asked at once than in parts; more do not. */
  default int queriesAtOnce() {
    return 1024;
  }

  /**
   * @param queries row-major (Q, width)
   */
  Neighbors search(float[] queries);

  @Override
  void close();
}
