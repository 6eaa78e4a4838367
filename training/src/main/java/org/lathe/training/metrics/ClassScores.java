package org.lathe.training.metrics;

import com.google.common.base.Preconditions;

/** Scores of predicted classes against the true ones; both are indices from 0. */
public final class ClassScores {
  /** The class that binary F1 looks for. */
  private static final int POSITIVE = 1;

  private ClassScores() {}

  /** Number of examples whose class was predicted. */
  public static int numCorrect(int[] predicted, int[] expected) {
    checkSizes(predicted, expected);
    int correct = 0;
    for (int i = 0; i < predicted.length; i++) {
      correct += predicted[i] == expected[i] ? 1 : 0;
    }
    return correct;
  }

  /** Correct examples over all. */
  public static double accuracy(int[] predicted, int[] expected) {
    return (double) numCorrect(predicted, expected) / predicted.length;
  }

  /**
   * F1 of class 1 against all others: 2 tp / (2 tp + fp + fn); 0 where class 1 is neither predicted
   * nor expected.
   */
  public static double f1(int[] predicted, int[] expected) {
    checkSizes(predicted, expected);
    long truePositives = 0;
    long positives = 0;
    for (int i = 0; i < predicted.length; i++) {
      boolean found = predicted[i] == POSITIVE;
      boolean wanted = expected[i] == POSITIVE;
      truePositives += found && wanted ? 1 : 0;
      // 2 tp + fp + fn
      positives += (found ? 1 : 0) + (wanted ? 1 : 0);
    }
    return positives == 0 ? 0 : 2.0 * truePositives / positives;
  }

  /**
   * Matthews correlation for any number of classes K (Gorodkin 2004): with c correct of s examples,
   * t_k expected and p_k predicted of class k, (c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2)(s^2 -
   * sum t_k^2)). For two classes it is (tp tn - fp fn) over the root of the four margins. 0 where
   * predictions or expectations are constant, which leaves it undefined.
   */
  public static double matthews(int[] predicted, int[] expected) {
    double correct = numCorrect(predicted, expected);
    double size = predicted.length;
    double[] predictedCounts = counts(predicted);
    double[] expectedCounts = counts(expected);
    double both = 0;
    for (int k = 0; k < Math.min(predictedCounts.length, expectedCounts.length); k++) {
      both += predictedCounts[k] * expectedCounts[k];
    }
    double spreadPredicted = size * size - sumOfSquares(predictedCounts);
    double spreadExpected = size * size - sumOfSquares(expectedCounts);
    if (spreadPredicted == 0 || spreadExpected == 0) {
      return 0;
    }
    return (correct * size - both) / Math.sqrt(spreadPredicted * spreadExpected);
  }

  private static double[] counts(int[] classes) {
    int largest = 0;
    for (int k : classes) {
      Preconditions.checkArgument(k >= 0, "a class is %s; expected an index from 0", k);
      largest = Math.max(largest, k);
    }
    double[] counts = new double[largest + 1];
    for (int k : classes) {
      counts[k]++;
    }
    return counts;
  }

  private static double sumOfSquares(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return sum;
  }

  private static void checkSizes(int[] predicted, int[] expected) {
    Preconditions.checkArgument(
        predicted.length == expected.length && predicted.length > 0,
        "%s predictions for %s examples; expected as many, and at least one",
        predicted.length,
        expected.length);
  }
}
