package org.lathe.training.datastore;

import com.google.common.base.Preconditions;

/**
 * Scores the candidates of another search anew with the keys themselves, in double, and keeps the
 * best: what a compressed index loses in order it wins back, up to the candidates that it missed.
 */
public final class ExactRescoring implements NeighborSearch {
  private final NeighborSearch candidates;
  private final float[] keys;
  private final Metric metric;
  private final int numNeighbors;

  /**
   * @param candidates gives more neighbours than are wanted, items being rows of keys; closed with
   *     this
   * @param keys row-major (N, D)
   * @param neighbors wanted; at most as many as there are candidates are given
   */
  public ExactRescoring(NeighborSearch candidates, float[] keys, Metric metric, int neighbors) {
    Preconditions.checkArgument(neighbors >= 1, "neighbors (%s) must be at least 1", neighbors);
    this.candidates = candidates;
    this.keys = keys;
    this.metric = metric;
    this.numNeighbors = neighbors;
  }

  @Override
  public int width() {
    return candidates.width();
  }

  @Override
  public int numKeys() {
    return candidates.numKeys();
  }

  @Override
  public Neighbors search(float[] queries) {
    Neighbors found = candidates.search(queries);
    int width = width();
    int numQueries = queries.length / width;
    int numBest = Math.min(numNeighbors, found.numNeighbors());
    BestNeighbors best = new BestNeighbors(numQueries, numBest);
    for (int i = 0; i < found.items().length; i++) {
      if (found.scores()[i] > Float.NEGATIVE_INFINITY) {
        int query = i / found.numNeighbors();
        int item = found.items()[i];
        best.offer(query, metric.score(queries, query * width, keys, item * width, width), item);
      }
    }
    float[] scores = new float[numQueries * numBest];
    int[] items = new int[numQueries * numBest];
    best.sortInto(0, numQueries, scores, items, 0);
    return new Neighbors(numBest, scores, items);
  }

  @Override
  public void close() {
    candidates.close();
  }
}
