package org.lathe.pruning.budget;

import java.util.ArrayList;
import java.util.List;

/**
 * Times that noise has put out of order, made to rise with the size: the nearest non-decreasing
 * sequence by least squares (isotonic regression by pooling adjacent violators). Neighbors out of
 * order share their mean, so that one slow outlier does not raise all larger sizes.
 */
final class RisingFit {
  private RisingFit() {}

  /** Of the same length. */
  static double[] of(double[] times) {
    List<double[]> pools = new ArrayList<>(); // {mean, count}
    for (double time : times) {
      double[] pool = {time, 1};
      while (!pools.isEmpty() && pools.get(pools.size() - 1)[0] > pool[0]) {
        double[] before = pools.remove(pools.size() - 1);
        double count = before[1] + pool[1];
        pool = new double[] {(before[0] * before[1] + pool[0] * pool[1]) / count, count};
      }
      pools.add(pool);
    }
    double[] rising = new double[times.length];
    int next = 0;
    for (double[] pool : pools) {
      for (int i = 0; i < pool[1]; i++) {
        rising[next++] = pool[0];
      }
    }
    return rising;
  }
}
