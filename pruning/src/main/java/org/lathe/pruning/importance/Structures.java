package org.lathe.pruning.importance;

import java.util.Arrays;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;

/** Structures of open (1) and closed (0) gates, and how much they remove. */
final class Structures {
  private Structures() {}

  static double achieved(PruningTarget target, TransformerConfig full, GateValues gates) {
    return target.achieved(full, ExpectedSizes.of(gates));
  }

  /** Whether so many heads and units a layer, at full hidden size, reach the target. */
  static boolean meets(PruningTarget target, TransformerConfig full, int[] heads, int[] units) {
    ExpectedSizes sizes =
        new ExpectedSizes(
            full.hiddenSize(),
            Arrays.stream(heads).asDoubleStream().toArray(),
            Arrays.stream(units).asDoubleStream().toArray(),
            Arrays.stream(heads).mapToDouble(count -> count > 0 ? 1 : 0).toArray(),
            Arrays.stream(units).mapToDouble(count -> count > 0 ? 1 : 0).toArray());
    return target.isReached(full, sizes);
  }

  /** 1 at the so many highest ranks, else 0; of equal numbers the later one. */
  static float[] best(double[] scores, int count) {
    int[] rank = UnitScores.ranks(new double[][] {scores})[0];
    float[] gates = new float[scores.length];
    for (int i = 0; i < gates.length; i++) {
      gates[i] = rank[i] >= gates.length - count ? 1 : 0;
    }
    return gates;
  }
}
