package org.lathe.training.metrics;

import com.google.common.base.Preconditions;

/**
 * Two systems on the same examples. What both got right or both wrong tells nothing about their
 * difference, so that it is far better known than two accuracies with an error each would say.
 *
 * @param numExamples n
 * @param onlyFirst examples that only the first system got right, b
 * @param onlySecond examples that only the second system got right, c
 */
public record PairedComparison(int numExamples, int onlyFirst, int onlySecond) {
  /** 97.5th percentile of the normal distribution. */
  private static final double TWO_SIDED_95 = 1.959963984540054;

  public PairedComparison {
    Preconditions.checkArgument(
        onlyFirst >= 0 && onlySecond >= 0 && numExamples > 0,
        "counts must not be negative, and there must be an example: %s, %s of %s",
        onlyFirst,
        onlySecond,
        numExamples);
    Preconditions.checkArgument(
        (long) onlyFirst + onlySecond <= numExamples,
        "%s and %s differing examples of %s",
        onlyFirst,
        onlySecond,
        numExamples);
  }

  /** Compares the predictions of two systems. */
  public static PairedComparison of(int[] first, int[] second, int[] expected) {
    Preconditions.checkArgument(
        first.length == expected.length && second.length == expected.length,
        "%s and %s predictions for %s examples",
        first.length,
        second.length,
        expected.length);
    int onlyFirst = 0;
    int onlySecond = 0;
    for (int i = 0; i < expected.length; i++) {
      boolean firstRight = first[i] == expected[i];
      boolean secondRight = second[i] == expected[i];
      onlyFirst += firstRight && !secondRight ? 1 : 0;
      onlySecond += secondRight && !firstRight ? 1 : 0;
    }
    return new PairedComparison(expected.length, onlyFirst, onlySecond);
  }

  /** Accuracy of the first less that of the second: (b - c) / n. */
  public double difference() {
    return (double) (onlyFirst - onlySecond) / numExamples;
  }

  /** Standard error of the difference: sqrt(b + c - (b - c)^2 / n) / n. */
  public double standardError() {
    double surplus = onlyFirst - onlySecond;
    double variance = (double) onlyFirst + onlySecond - surplus * surplus / numExamples;
    return Math.sqrt(variance) / numExamples;
  }

  /** The 95 % interval of the difference is difference() ± this, by the normal approximation. */
  public double halfInterval95() {
    return TWO_SIDED_95 * standardError();
  }

  /**
   * McNemar's exact test: the probability that systems of equal accuracy differ at least so
   * unevenly. With m = b + c it is 2 P(X <= min(b, c)), X binomial of m and 1/2, at most 1.
   */
  public double pValue() {
    int differing = onlyFirst + onlySecond;
    double logTerm = -differing * Math.log(2);
    double sum = Math.exp(logTerm);
    for (int k = 1; k <= Math.min(onlyFirst, onlySecond); k++) {
      logTerm += Math.log(differing - k + 1.0) - Math.log(k);
      sum += Math.exp(logTerm);
    }
    return Math.min(1, 2 * sum);
  }
}
