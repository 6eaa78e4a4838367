package org.lathe.training.datastore;

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
