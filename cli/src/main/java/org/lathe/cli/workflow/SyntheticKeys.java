package org.lathe.cli.workflow;

import java.util.Arrays;
import java.util.Random;

/**
 * Vectors with the looks of a language model's keys: clusters of very different sizes, few
 * directions with most of the variance, and layer normalization (mean 0, variance 1 each).
 */
final class SyntheticKeys {
  private static final int NUM_CLUSTERS = 1000;

  /** Standard deviation of direction i (from 1) is i to this power. */
  private static final double SPECTRUM = -0.8;

  /** Cluster c (from 1) has the weight c to this power. */
  private static final double SIZES = -0.7;

  /** Spread inside a cluster beside that of the centres. */
  private static final float SPREAD = 0.7f;

  private final int width;
  private final float[][] centers;
  private final double[] cumulative = new double[NUM_CLUSTERS];
  private final float[] deviations;

  /** Centres depend on the seed only, so that keys and queries share them. */
  SyntheticKeys(int width, long seed) {
    this.width = width;
    Random random = new Random(seed);
    deviations = new float[width];
    for (int d = 0; d < width; d++) {
      deviations[d] = (float) Math.pow(d + 1, SPECTRUM);
    }
    centers = new float[NUM_CLUSTERS][width];
    double total = 0;
    for (int c = 0; c < NUM_CLUSTERS; c++) {
      for (int d = 0; d < width; d++) {
        centers[c][d] = deviations[d] * (float) random.nextGaussian();
      }
      total += Math.pow(c + 1, SIZES);
      cumulative[c] = total;
    }
  }

  /** Row-major (number, width). */
  float[] draw(int number, long seed) {
    Random random = new Random(seed);
    float[] rows = new float[Math.multiplyExact(number, width)];
    for (int i = 0; i < number; i++) {
      double at = random.nextDouble() * cumulative[NUM_CLUSTERS - 1];
      int place = Arrays.binarySearch(cumulative, at);
      float[] center = centers[Math.min(NUM_CLUSTERS - 1, place < 0 ? -place - 1 : place)];
      double sum = 0;
      double squares = 0;
      for (int d = 0; d < width; d++) {
        float value = center[d] + SPREAD * deviations[d] * (float) random.nextGaussian();
        rows[i * width + d] = value;
        sum += value;
        squares += (double) value * value;
      }
      double mean = sum / width;
      double deviation = Math.sqrt(Math.max(1e-12, squares / width - mean * mean));
      for (int d = 0; d < width; d++) {
        rows[i * width + d] = (float) ((rows[i * width + d] - mean) / deviation);
      }
    }
    return rows;
  }
}
