package org.lathe.graphs.reference;

import org.lathe.graphs.config.MemoryConfig;

/**
 * TRIME's objective by loops over equations (1), (2) and (4) of the reference, in doubles and with
 * full vocabularies: P(w) = [exp(a_w) + sum_{j visible, y_j = w} exp(s_j)] / Z.
 */
public final class ReferenceMemory {
  /** Mean loss and its gradients; a is (N, V), g is (N, D), both row-major. */
  public record Result(double meanLoss, double[] perPosition, double[] dLogits, double[] dTap) {}

  private ReferenceMemory() {}

  /** Whether position t may see item j, both counted through the flattened batch. */
  public static boolean visible(
      MemoryConfig config, boolean localVisible, int segmentLength, int t, int j) {
    int ownSegment = t / segmentLength;
    int itsSegment = j / segmentLength;
    switch (config.objective()) {
      case LOCAL:
        return ownSegment == itsSegment && j < t;
      case CONSECUTIVE:
        int perGroup = config.segmentsPerGroup();
        boolean sameGroup = perGroup == 0 || ownSegment / perGroup == itsSegment / perGroup;
        return sameGroup && j < t;
      case EXTERNAL:
        int similar = config.segmentsPerGroup();
        return ownSegment == itsSegment
            ? localVisible && j < t
            : similar == 0 || ownSegment / similar == itsSegment / similar;
      default:
        return false;
    }
  }

  public static Result compute(
      MemoryConfig config,
      boolean localVisible,
      int segmentLength,
      double[] logits,
      double[] tap,
      int[] targets) {
    int n = targets.length;
    int vocabulary = logits.length / n;
    int width = tap.length / n;
    double[] losses = new double[n];
    double[] dLogits = new double[logits.length];
    double[] dTap = new double[tap.length];
    for (int t = 0; t < n; t++) {
      double[] score = new double[n];
      double highest = Double.NEGATIVE_INFINITY;
      for (int w = 0; w < vocabulary; w++) {
        highest = Math.max(highest, logits[t * vocabulary + w]);
      }
      for (int j = 0; j < n; j++) {
        for (int d = 0; d < width; d++) {
          score[j] += config.scoreScale() * tap[t * width + d] * tap[j * width + d];
        }
        if (visible(config, localVisible, segmentLength, t, j)) {
          highest = Math.max(highest, score[j]);
        }
      }
      double[] mass = new double[vocabulary];
      double z = 0;
      for (int w = 0; w < vocabulary; w++) {
        mass[w] = Math.exp(logits[t * vocabulary + w] - highest);
        z += mass[w];
      }
      for (int j = 0; j < n; j++) {
        if (visible(config, localVisible, segmentLength, t, j)) {
          mass[targets[j]] += Math.exp(score[j] - highest);
          z += Math.exp(score[j] - highest);
        }
      }
      double numerator = mass[targets[t]];
      losses[t] = -Math.log(numerator / z);
      for (int w = 0; w < vocabulary; w++) {
        double e = Math.exp(logits[t * vocabulary + w] - highest);
        dLogits[t * vocabulary + w] = (e / z - (w == targets[t] ? e / numerator : 0)) / n;
      }
      for (int j = 0; j < n; j++) {
        if (visible(config, localVisible, segmentLength, t, j)) {
          double e = Math.exp(score[j] - highest);
          double dScore = (e / z - (targets[j] == targets[t] ? e / numerator : 0)) / n;
          for (int d = 0; d < width; d++) {
            dTap[t * width + d] += dScore * config.scoreScale() * tap[j * width + d];
            dTap[j * width + d] += dScore * config.scoreScale() * tap[t * width + d];
          }
        }
      }
    }
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return new Result(sum / n, losses, dLogits, dTap);
  }
}
