package org.lathe.pruning.importance;

import org.lathe.pruning.gates.GateValues;

/**
 * Exchanges removed for kept units of one sublayer, as many as before, so that what goes matters
 * less together (Kwon et al. 2022, section 4.2). With gate gradients g_i(x), the block Fisher
 * estimates the loss of removing the set P as
 *
 * <pre>
 * c(P) = sum_(i, j in P) F_ij = sum_x (sum_(i in P) g_i(x))^2
 * </pre>
 *
 * The start is the choice by the diagonal; each removed unit in turn is exchanged for the kept one
 * that lowers c most, until nothing lowers it or {@link #MAX_ROUNDS} have passed.
 */
final class Rearrangement {
  /** Rounds after the second change next to nothing. */
  static final int MAX_ROUNDS = 3;

  /** Exchanges that gain less than this share of c are rounding. */
  private static final double LEAST_GAIN = 1e-6;

  private Rearrangement() {}

  /**
   * @param gates 1 or 0, changed in place
   * @param gradients [unit][example]
   */
  static void improve(float[] gates, float[][] gradients) {
    double[] sum = removedSum(gates, gradients);
    boolean changed = GateValues.numOpen(gates) > 0;
    for (int round = 0; round < MAX_ROUNDS && changed; round++) {
      changed = false;
      for (int unit = 0; unit < gates.length; unit++) {
        if (gates[unit] == 0) {
          changed |= exchange(unit, gates, gradients, sum);
        }
      }
    }
  }

  /** c(P) of the closed gates. */
  static double cost(float[] gates, float[][] gradients) {
    return squares(removedSum(gates, gradients));
  }

  /** With r the sum over the other removed units: |r + g_q|^2 = |r|^2 + 2 r g_q + |g_q|^2. */
  private static boolean exchange(int unit, float[] gates, float[][] gradients, double[] sum) {
    double[] rest = sum.clone();
    add(rest, gradients[unit], -1);
    int best = unit;
    double least = change(rest, gradients[unit]) - LEAST_GAIN * squares(sum);
    for (int other = 0; other < gates.length; other++) {
      if (gates[other] != 0) {
        double change = change(rest, gradients[other]);
        if (change < least) {
          least = change;
          best = other;
        }
      }
    }
    if (best == unit) {
      return false;
    }
    gates[unit] = 1;
    gates[best] = 0;
    System.arraycopy(rest, 0, sum, 0, sum.length);
    add(sum, gradients[best], 1);
    return true;
  }

  private static double change(double[] rest, float[] gradient) {
    double change = 0;
    for (int x = 0; x < rest.length; x++) {
      change += gradient[x] * (2 * rest[x] + gradient[x]);
    }
    return change;
  }

  private static double[] removedSum(float[] gates, float[][] gradients) {
    double[] sum = new double[gradients[0].length];
    for (int unit = 0; unit < gates.length; unit++) {
      if (gates[unit] == 0) {
        add(sum, gradients[unit], 1);
      }
    }
    return sum;
  }

  private static void add(double[] sum, float[] gradient, int sign) {
    for (int x = 0; x < sum.length; x++) {
      sum[x] += sign * gradient[x];
    }
  }

  private static double squares(double[] values) {
    double squares = 0;
    for (double value : values) {
      squares += value * value;
    }
    return squares;
  }
}
