package org.lathe.export.latency;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.Random;

/** Order statistics of measured times. Times are skewed, so nothing here assumes a normal law. */
public final class Samples {
  /** 97.5 % quantile of the standard normal law, for two-sided 95 % intervals. */
  private static final double Z = 1.959964;

  private static final int NUM_RESAMPLES = 2_000;
  private static final long RESAMPLING_SEED = 20_260_101;

  private final double[] sorted;

  public Samples(double[] values) {
    Preconditions.checkArgument(values.length > 0, "statistics need at least one value");
    sorted = values.clone();
    Arrays.sort(sorted);
  }

  public int size() {
    return sorted.length;
  }

  public double median() {
    return medianOfSorted(sorted);
  }

  /** The smallest value that at least this share of the values does not exceed. */
  public double percentile(double share) {
    return sorted[clamp((int) Math.ceil(share * sorted.length) - 1)];
  }

  /**
   * Lower end of the 95 % confidence interval of the median: the value of rank n/2 - z sqrt(n)/2,
   * from the binomial law of the number of values below the median.
   */
  public double medianLow() {
    int n = sorted.length;
    return sorted[clamp((int) Math.floor(n / 2.0 - Z * Math.sqrt(n) / 2) - 1)];
  }

  /** Upper end: the value of rank n/2 + 1 + z sqrt(n)/2. */
  public double medianHigh() {
    int n = sorted.length;
    return sorted[clamp((int) Math.ceil(n / 2.0 + 1 + Z * Math.sqrt(n) / 2) - 1)];
  }

  /**
   * 95 % interval (low, high) of median(numerator) / median(denominator) by resampling both with
   * replacement; the same samples give the same interval.
   */
  public static double[] ratioInterval(Samples numerator, Samples denominator) {
    Random random = new Random(RESAMPLING_SEED);
    double[] ratios = new double[NUM_RESAMPLES];
    for (int i = 0; i < NUM_RESAMPLES; i++) {
      ratios[i] = numerator.resampledMedian(random) / denominator.resampledMedian(random);
    }
    Samples sortedRatios = new Samples(ratios);
    return new double[] {sortedRatios.percentile(0.025), sortedRatios.percentile(0.975)};
  }

  private double resampledMedian(Random random) {
    double[] resample = new double[sorted.length];
    for (int i = 0; i < resample.length; i++) {
      resample[i] = sorted[random.nextInt(sorted.length)];
    }
    Arrays.sort(resample);
    return medianOfSorted(resample);
  }

  private static double medianOfSorted(double[] values) {
    int middle = values.length / 2;
    return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  }

  private int clamp(int index) {
    return Math.max(0, Math.min(sorted.length - 1, index));
  }
}
