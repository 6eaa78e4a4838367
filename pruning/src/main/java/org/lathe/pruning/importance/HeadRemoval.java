package org.lathe.pruning.importance;

import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;

/** Heads go, those first that matter least in all layers together (Michel et al. 2019). */
public final class HeadRemoval {
  private HeadRemoval() {}

  /**
   * As few heads as reach the target; all of them where even these are not enough. An attention
   * sublayer without heads is gone.
   *
   * @param scores of the heads, [L][N]
   */
  public static GateValues meeting(
      PruningTarget target, TransformerConfig full, double[][] scores) {
    int[][] ranks = UnitScores.ranks(scores);
    int numHeads = 0;
    for (int[] row : ranks) {
      numHeads += row.length;
    }
    GateValues gates = GateValues.allOpen(full);
    for (int removed = 0; removed <= numHeads; removed++) {
      for (int layer = 0; layer < ranks.length; layer++) {
        for (int head = 0; head < ranks[layer].length; head++) {
          gates.heads()[layer][head] = ranks[layer][head] < removed ? 0 : 1;
        }
      }
      if (target.isReached(full, ExpectedSizes.of(gates))) {
        break;
      }
    }
    return gates.closed();
  }
}
