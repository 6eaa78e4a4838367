package org.lathe.training.metrics;

import com.google.common.base.Preconditions;

/** How far chance alone moves a score. */
public final class Uncertainty {
  private Uncertainty() {}

  /**
   * Standard error of an accuracy p measured on n examples: sqrt(p (1 - p) / n).
   *
   * @param accuracy p, in [0, 1]
   * @param numExamples n, at least 1
   */
  public static double standardError(double accuracy, int numExamples) {
    Preconditions.checkArgument(
        accuracy >= 0 && accuracy <= 1, "accuracy (%s) must be in [0, 1]", accuracy);
    Preconditions.checkArgument(numExamples > 0, "numExamples (%s) must be positive", numExamples);
    return Math.sqrt(accuracy * (1 - accuracy) / numExamples);
  }
}
