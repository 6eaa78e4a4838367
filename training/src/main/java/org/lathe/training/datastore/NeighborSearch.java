package org.lathe.training.datastore;

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
  }

  /**
   * Neighbours of Q queries, best first, row-major (Q, K). Where an index finds fewer than K, the
   * rest have the score negative infinity and item 0.
   *
   * @param scores q . k, or q . k - |k|^2 / 2 = (|q|^2 - |q - k|^2) / 2 for SQUARED_L2
   * @param items indices of keys
   */
  record Neighbors(int numNeighbors, float[] scores, int[] items) {}

  /** D of the keys. */
  int width();

  int numKeys();

  /**
   * @param queries row-major (Q, width)
   */
  Neighbors search(float[] queries);

  @Override
  void close();
}
