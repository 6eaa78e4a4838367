package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;

/**
 * Sorts positions by one number, so that each bucket can have its own interpolation.
 *
 * @param feature the number
 * @param thresholds ascending; a position lies in the bucket with the number of thresholds that its
 *     feature reaches. None = all positions lie in one bucket
 */
public record InterpolationBuckets(Feature feature, List<Double> thresholds) {

  /** What is known of a position before its interpolation is needed. */
  public enum Feature {
    /** Nothing: all positions are alike. */
    CONSTANT,
    /**
     * ln of the largest word probability without memory, known before any search (after He et al.
     * 2021).
     */
    CONFIDENCE,
    /** s of the best retrieved item (Drozdov et al. 2022). */
    BEST_SCORE
  }

  /** All positions together. */
  public static final InterpolationBuckets ONE =
      new InterpolationBuckets(Feature.CONSTANT, ImmutableList.of());

  /** Beyond a handful the gain is small (Drozdov et al. 2022), and every bucket can overfit. */
  public static final int MAX_BUCKETS = 8;

  /**
   * Positions that each bucket has at least where its weight is tuned. A fitted number is expected
   * to cost 1 / (2 n) nats a position on other text (Akaike): 0.001 here, a tenth of a percent of
   * perplexity in that bucket.
   */
  public static final int MIN_POSITIONS = 500;

  public InterpolationBuckets {
    thresholds = ImmutableList.copyOf(thresholds);
    Preconditions.checkArgument(
        (feature == Feature.CONSTANT) == thresholds.isEmpty(),
        "%s thresholds do not suit the feature %s",
        thresholds.size(),
        feature);
    double last = Double.NEGATIVE_INFINITY;
    for (double threshold : thresholds) {
      Preconditions.checkArgument(
          threshold > last && threshold < Double.POSITIVE_INFINITY,
          "thresholds must be numbers that ascend: %s",
          thresholds);
      last = threshold;
    }
  }

  /**
   * Buckets of nearly equal size: as many as there are positions for, at most {@link #MAX_BUCKETS}.
   *
   * @param values feature of the positions that will be tuned on
   */
  public static InterpolationBuckets quantiles(Feature feature, double[] values) {
    int numBuckets = Math.min(MAX_BUCKETS, values.length / MIN_POSITIONS);
    if (feature == Feature.CONSTANT || numBuckets < 2) {
      return ONE;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    ImmutableList.Builder<Double> thresholds = ImmutableList.builder();
    int begin = 0;
    for (int b = 1; b < numBuckets; b++) {
      double threshold = sorted[(int) ((long) b * sorted.length / numBuckets)];
      // equal values lie in one bucket, which may take many from its neighbour
      int first = firstIndex(sorted, threshold);
      if (first - begin >= MIN_POSITIONS && sorted.length - first >= MIN_POSITIONS) {
        thresholds.add(threshold);
        begin = first;
      }
    }
    ImmutableList<Double> found = thresholds.build();
    return found.isEmpty() ? ONE : new InterpolationBuckets(feature, found);
  }

  /** Index of the first element that is not below the value. */
  private static int firstIndex(double[] sorted, double value) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Number of buckets. */
  public int size() {
    return thresholds.size() + 1;
  }

  /** The bucket of a position with this feature. */
  public int of(double value) {
    Preconditions.checkArgument(
        !Double.isNaN(value) || thresholds.isEmpty(), "a position without %s", feature);
    int bucket = 0;
    while (bucket < thresholds.size() && value >= thresholds.get(bucket)) {
      bucket++;
    }
    return bucket;
  }
}
