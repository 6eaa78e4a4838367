package org.lathe.training.metrics;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** How far predicted numbers rise with the expected ones, in [-1, 1]. */
public final class Correlations {
  private Correlations() {}

  /**
   * Pearson's: covariance over the product of the standard deviations. 0 where one side is
   * constant: it is undefined there, and such predictions say nothing.
   */
  public static double pearson(double[] predicted, double[] expected) {
    Preconditions.checkArgument(
        predicted.length == expected.length && predicted.length > 0,
        "%s predictions for %s examples; expected as many, and at least one",
        predicted.length,
        expected.length);
    if (isConstant(predicted) || isConstant(expected)) {
      return 0;
    }
    double meanPredicted = Arrays.stream(predicted).average().orElseThrow();
    double meanExpected = Arrays.stream(expected).average().orElseThrow();
    double together = 0;
    double squaresPredicted = 0;
    double squaresExpected = 0;
    for (int i = 0; i < predicted.length; i++) {
      double p = predicted[i] - meanPredicted;
      double e = expected[i] - meanExpected;
      together += p * e;
      squaresPredicted += p * p;
      squaresExpected += e * e;
    }
    double scale = Math.sqrt(squaresPredicted) * Math.sqrt(squaresExpected);
    // values that differ by less than a double can square
    return scale == 0 ? 0 : Math.max(-1, Math.min(1, together / scale));
  }

  /** Spearman's: Pearson's of the ranks, where equal numbers share the mean of their ranks. */
  public static double spearman(double[] predicted, double[] expected) {
    if (Arrays.stream(predicted).anyMatch(Double::isNaN)
        || Arrays.stream(expected).anyMatch(Double::isNaN)) {
      return Double.NaN; // what is no number has no rank
    }
    return pearson(ranks(predicted), ranks(expected));
  }

  /** Rank of each value from 1, smallest first; equal values get the mean of their ranks. */
  public static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int first = 0; first < order.length; ) {
      int end = first + 1;
      while (end < order.length && values[order[end]] == values[order[first]]) {
        end++;
      }
      // ranks first + 1 ... end
      double mean = (first + 1 + end) / 2.0;
      for (int i = first; i < end; i++) {
        ranks[order[i]] = mean;
      }
      first = end;
    }
    return ranks;
  }

  private static boolean isConstant(double[] values) {
    return Arrays.stream(values).allMatch(value -> value == values[0]);
  }
}
