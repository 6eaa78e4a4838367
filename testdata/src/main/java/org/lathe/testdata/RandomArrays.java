package org.lathe.testdata;

import java.util.Random;

/** Random arrays from a seeded generator. */
public final class RandomArrays {
  private RandomArrays() {}

  /** Normal values with mean 0 and this standard deviation. */
  public static double[] normal(Random random, int size, double standardDeviation) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextGaussian() * standardDeviation;
    }
    return values;
  }

  /** Values of random sign whose size lies between the bounds: away from a kink at 0. */
  public static double[] awayFromZero(Random random, int size, double smallest, double largest) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      double magnitude = smallest + (largest - smallest) * random.nextDouble();
      values[i] = random.nextBoolean() ? magnitude : -magnitude;
    }
    return values;
  }

  /** Uniform values in [low, high). */
  public static double[] uniform(Random random, int size, double low, double high) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = low + (high - low) * random.nextDouble();
    }
    return values;
  }

  /** Uniform integers in [0, bound), such as token ids. */
  public static int[] ints(Random random, int size, int bound) {
    int[] values = new int[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextInt(bound);
    }
    return values;
  }
}
