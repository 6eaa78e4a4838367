package org.lathe.training.evaluation;

/** Probabilities of logits a in plain arithmetic: p_c = exp(a_c) / sum_k exp(a_k), in nats. */
public final class Softmax {
  private Softmax() {}

  /** All probabilities of a row. */
  public static double[] of(float[] logits) {
    double mass = logSumExp(logits, 0, logits.length);
    double[] probabilities = new double[logits.length];
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] = Math.exp(logits[c] - mass);
    }
    return probabilities;
  }

  /**
   * ln p of one class of the row of count logits that begins at from.
   *
   * @param right from 0
   */
  static double logProbability(float[] logits, int from, int count, int right) {
    return logits[from + right] - logSumExp(logits, from, count);
  }

  private static double logSumExp(float[] logits, int from, int count) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, logits[i]);
    }
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += Math.exp(logits[i] - largest);
    }
    return largest + Math.log(sum);
  }
}
