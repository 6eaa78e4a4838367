package org.lathe.training.evaluation;

/** Probabilities of logits a in plain arithmetic: p_c = exp(a_c) / sum_k exp(a_k), in nats. */
public final class Softmax {
  private Softmax() {}

  /** All probabilities of a row. */
  public static double[] of(float[] logits) {
    double mass = logSumExp(logits);
    double[] probabilities = new double[logits.length];
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] = Math.exp(logits[c] - mass);
    }
    return probabilities;
  }

  private static double logSumExp(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    return largest + Math.log(sum);
  }
}
