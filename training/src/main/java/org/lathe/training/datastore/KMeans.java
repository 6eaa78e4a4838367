package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.BitSet;
import java.util.Random;

/**
 * Lloyd's k-means under squared distance. Centroids start at points chosen at random; sums are kept
 * in double and in the order of points, so that the same seed gives the same centroids.
 */
final class KMeans {
  /** How far apart the halves of a divided cluster start, as a part of each coordinate (FAISS). */
  private static final float SPLIT = 1f / 1024;

  private KMeans() {}

  /**
   * @param points row-major (N, D)
   * @param numCentroids L, at most N
   * @return row-major (L, D)
   */
  static float[] train(
      float[] points, int width, int numCentroids, int iterations, long seed, int threads) {
    int numPoints = points.length / width;
    Preconditions.checkArgument(
        numCentroids >= 1 && numCentroids <= numPoints,
        "cannot make %s clusters of %s points",
        numCentroids,
        numPoints);
    float[] centroids = rows(points, width, choose(numPoints, numCentroids, seed));
    try (CentroidAssigner assigner = new CentroidAssigner(width, threads)) {
      for (int i = 0; i < iterations; i++) {
        int[] nearest = assigner.assign(points, centroids);
        double[] spreads = update(points, width, nearest, centroids);
        repair(centroids, width, spreads);
      }
    }
    return centroids;
  }

  /** Different numbers below a bound, ascending, by Floyd's method on a seeded generator. */
  static int[] choose(int bound, int number, long seed) {
    Random random = new Random(seed);
    BitSet chosen = new BitSet(bound);
    for (int i = bound - number; i < bound; i++) {
      int candidate = random.nextInt(i + 1);
      chosen.set(chosen.get(candidate) ? i : candidate);
    }
    return chosen.stream().toArray();
  }

  static float[] rows(float[] points, int width, int[] rows) {
    float[] copy = new float[rows.length * width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(points, rows[i] * width, copy, i * width, width);
    }
    return copy;
  }

  /**
   * Moves centroids to the means of their points; those without stay.
   *
   * @return sums of |x - c|^2 of the points of each cluster, NaN where there are none
   */
  private static double[] update(float[] points, int width, int[] nearest, float[] centroids) {
    int numCentroids = centroids.length / width;
    int[] sizes = new int[numCentroids];
    double[] spreads = new double[numCentroids];
    double[] sums = new double[centroids.length];
    for (int i = 0; i < nearest.length; i++) {
      sizes[nearest[i]]++;
      int at = nearest[i] * width;
      for (int d = 0; d < width; d++) {
        double value = points[i * width + d];
        sums[at + d] += value;
        spreads[nearest[i]] += value * value;
      }
    }
    for (int l = 0; l < numCentroids; l++) {
      if (sizes[l] == 0) {
        spreads[l] = Double.NaN;
        continue;
      }
      for (int at = l * width; at < (l + 1) * width; at++) {
        double mean = sums[at] / sizes[l];
        spreads[l] -= mean * sums[at];
        centroids[at] = (float) mean;
      }
    }
    return spreads;
  }

  /**
   * Gives each empty cluster half of the then widest one. Not of the largest: equal points, however
   * many, cannot be divided.
   */
  private static void repair(float[] centroids, int width, double[] spreads) {
    for (int empty = 0; empty < spreads.length; empty++) {
      if (!Double.isNaN(spreads[empty])) {
        continue;
      }
      int widest = empty;
      for (int l = 0; l < spreads.length; l++) {
        if (!(spreads[l] <= spreads[widest]) && !Double.isNaN(spreads[l])) {
          widest = l;
        }
      }
      for (int d = 0; d < width; d++) {
        float value = centroids[widest * width + d];
        float step = d % 2 == 0 ? SPLIT : -SPLIT;
        centroids[empty * width + d] = value * (1 + step);
        centroids[widest * width + d] = value * (1 - step);
      }
      spreads[widest] /= 2;
      spreads[empty] = spreads[widest];
    }
  }
}
