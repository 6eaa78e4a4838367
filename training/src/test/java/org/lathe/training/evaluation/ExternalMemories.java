package org.lathe.training.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.datastore.NeighborSearch.Metric;

/** External memories without TensorFlow: every key is looked at in double. */
final class ExternalMemories {
  private ExternalMemories() {}

  static ExternalMemory of(KeyStore store, Metric metric, int neighbors) {
    return new ExternalMemory(
        "test",
        new PlainSearch(store, metric, neighbors),
        metric,
        store,
        document -> "document " + document,
        100);
  }

  /**
   * Finds some of the first items only, and keeps what it was asked.
   *
   * @param numSearched items from the first one on that belong to the index
   * @param findable which of these are ever found
   * @param asked every query is added
   */
  static ExternalMemory partial(
      KeyStore store,
      int numSearched,
      IntPredicate findable,
      Metric metric,
      int neighbors,
      List<float[]> asked) {
    PlainSearch all = new PlainSearch(store.first(numSearched), metric, store.numItems());
    NeighborSearch some =
        new NeighborSearch() {
          @Override
          public int width() {
            return all.width();
          }

          @Override
          public int numKeys() {
            return all.numKeys();
          }

          @Override
          public Neighbors search(float[] queries) {
            Neighbors found = all.search(queries);
            int numQueries = queries.length / width();
            float[] scores = new float[numQueries * neighbors];
            int[] items = new int[scores.length];
            Arrays.fill(scores, Float.NEGATIVE_INFINITY);
            for (int q = 0; q < numQueries; q++) {
              asked.add(Arrays.copyOfRange(queries, q * width(), (q + 1) * width()));
              int kept = 0;
              for (int k = 0; k < found.numNeighbors() && kept < neighbors; k++) {
                int from = q * found.numNeighbors() + k;
                boolean there = found.scores()[from] > Float.NEGATIVE_INFINITY;
                if (there && findable.test(found.items()[from])) {
                  scores[q * neighbors + kept] = found.scores()[from];
                  items[q * neighbors + kept++] = found.items()[from];
                }
              }
            }
            return new Neighbors(neighbors, scores, items);
          }

          @Override
          public void close() {}
        };
    return new ExternalMemory("test", some, metric, store, document -> "", 100);
  }

  /** q . k or q . k - |k|^2 / 2. */
  static double nearness(Metric metric, float[] query, float[] keys, int item) {
    double sum = 0;
    for (int d = 0; d < query.length; d++) {
      double k = keys[item * query.length + d];
      sum += query[d] * k - (metric == Metric.SQUARED_L2 ? k * k / 2 : 0);
    }
    return sum;
  }

  /** Gives one place more than there are keys where so many are asked, to show an empty one. */
  private record PlainSearch(KeyStore store, Metric metric, int neighbors)
      implements NeighborSearch {
    @Override
    public int width() {
      return store.width();
    }

    @Override
    public int numKeys() {
      return store.numItems();
    }

    @Override
    public int queriesAtOnce() {
      return 7;
    }

    @Override
    public Neighbors search(float[] queries) {
      int numQueries = queries.length / width();
      float[] scores = new float[numQueries * neighbors];
      int[] items = new int[scores.length];
      Arrays.fill(scores, Float.NEGATIVE_INFINITY);
      for (int q = 0; q < numQueries; q++) {
        float[] query = Arrays.copyOfRange(queries, q * width(), (q + 1) * width());
        List<Integer> order = new ArrayList<>();
        for (int item = 0; item < numKeys(); item++) {
          order.add(item);
        }
        order.sort(
            Comparator.comparingDouble(item -> -nearness(metric, query, store.keys(), item)));
        for (int k = 0; k < Math.min(neighbors, numKeys()); k++) {
          items[q * neighbors + k] = order.get(k);
          scores[q * neighbors + k] = (float) nearness(metric, query, store.keys(), order.get(k));
        }
      }
      return new Neighbors(neighbors, scores, items);
    }

    @Override
    public void close() {}
  }
}
