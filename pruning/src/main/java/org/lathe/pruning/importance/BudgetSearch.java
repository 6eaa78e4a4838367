package org.lathe.pruning.importance;

import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateValues;

/**
 * Which heads and feed-forward units stay under a target, by scores that add up (Kwon et al. 2022,
 * section 4.1): for every number of heads the best ones are kept and the rest of the budget is
 * filled with the best units; of all these structures that one is taken whose removed scores sum to
 * the least. One search for parameters and for measured times, because either only grows with a
 * unit more.
 */
public final class BudgetSearch {
  private final PruningTarget target;
  private final TransformerConfig full;
  private final UnitScores scores;
  private final int roundTo;
  private final int[][] headRanks;
  private final int[][] unitRanks;
  private final int numHeads;
  private final int numUnits;

  private BudgetSearch(
      PruningTarget target, TransformerConfig full, UnitScores scores, int roundTo) {
    this.target = target;
    this.full = full;
    this.scores = scores;
    this.roundTo = roundTo;
    headRanks = UnitScores.ranks(scores.heads());
    unitRanks = UnitScores.ranks(scores.intermediate());
    numHeads = full.numLayers() * headRanks[0].length;
    numUnits = full.numLayers() * unitRanks[0].length;
  }

  /**
   * The structure; gates are 1 or 0.
   *
   * @param roundTo units kept in a layer are raised to a multiple of this, by the best of the
   *     others
   * @throws org.lathe.graphs.errors.ConfigException when the blocks differ
   */
  public static GateValues meeting(
      PruningTarget target, TransformerConfig full, UnitScores scores, int roundTo) {
    GateKind.requireUniform(full);
    return new BudgetSearch(target, full, scores, roundTo).search();
  }

  private GateValues search() {
    GateValues best = null;
    double leastLoss = Double.POSITIVE_INFINITY;
    for (int keptHeads = 0; keptHeads <= numHeads; keptHeads++) {
      int[] heads = counts(headRanks, numHeads - keptHeads, 1);
      if (!meets(heads, 0)) {
        break; // nor do more heads
      }
      GateValues candidate =
          structure(heads, counts(unitRanks, numUnits - mostUnits(heads), roundTo));
      double loss =
          removed(scores.heads(), candidate.heads())
              + removed(scores.intermediate(), candidate.intermediate());
      if (loss < leastLoss) {
        leastLoss = loss;
        best = candidate;
      }
    }
    // without heads and units nothing is left that a target could ask to remove
    return best == null ? structure(new int[headRanks.length], new int[unitRanks.length]) : best;
  }

  /** The largest number of units beside these heads that still reaches the target. */
  private int mostUnits(int[] heads) {
    int low = 0;
    int high = numUnits;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (meets(heads, middle)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  private boolean meets(int[] heads, int keptUnits) {
    return Structures.meets(target, full, heads, counts(unitRanks, numUnits - keptUnits, roundTo));
  }

  /** Of each layer, how many have at least this rank, rounded up. */
  private static int[] counts(int[][] ranks, int least, int roundTo) {
    int[] counts = new int[ranks.length];
    for (int layer = 0; layer < counts.length; layer++) {
      for (int rank : ranks[layer]) {
        counts[layer] += rank >= least ? 1 : 0;
      }
      int rounded = (counts[layer] + roundTo - 1) / roundTo * roundTo;
      counts[layer] = Math.min(ranks[layer].length, rounded);
    }
    return counts;
  }

  private GateValues structure(int[] heads, int[] units) {
    GateValues gates = GateValues.allOpen(full);
    for (int layer = 0; layer < heads.length; layer++) {
      gates.heads()[layer] = Structures.best(scores.heads()[layer], heads[layer]);
      gates.intermediate()[layer] = Structures.best(scores.intermediate()[layer], units[layer]);
    }
    return gates.closed();
  }

  private static double removed(double[][] scores, float[][] gates) {
    double sum = 0;
    for (int layer = 0; layer < gates.length; layer++) {
      for (int i = 0; i < gates[layer].length; i++) {
        sum += gates[layer][i] == 0 ? scores[layer][i] : 0;
      }
    }
    return sum;
  }
}
