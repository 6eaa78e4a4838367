package org.lathe.pruning.importance;

import com.google.common.primitives.Ints;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;

/**
 * Where CoFi's gates of heads and feed-forward units start when they know how much each matters:
 * log alpha by rank, from {@link #LOWEST} for the unit of a kind that matters least to {@link
 * #HIGHEST} for the one that matters most, evenly spread, so that their mean is {@link
 * GateSet#INITIAL_MEAN}. Not in the paper, where all start alike.
 */
public final class GateStart {
  static final double LOWEST = GateSet.INITIAL_MEAN - 1;
  static final double HIGHEST = GateSet.INITIAL_MEAN + 1;

  private GateStart() {}

  /**
   * The start of all gates.
   *
   * @param usual values of all gate variables; those of heads and units are replaced where they are
   *     there. Not changed
   */
  public static Weights byRank(UnitScores scores, Weights usual) {
    Weights start = new Weights();
    for (String name : usual.names()) {
      Weights.Array array = usual.get(name);
      float[] values = array.values();
      if (name.equals(GateKind.HEADS.variableName())) {
        values = spread(scores.heads());
      } else if (name.equals(GateKind.INTERMEDIATE.variableName())) {
        values = spread(scores.intermediate());
      }
      start.put(name, array.shape(), values);
    }
    return start;
  }

  private static float[] spread(double[][] scores) {
    int[] ranks = Ints.concat(UnitScores.ranks(scores));
    float[] values = new float[ranks.length];
    for (int i = 0; i < values.length; i++) {
      double share = ranks.length == 1 ? 0.5 : (double) ranks[i] / (ranks.length - 1);
      values[i] = (float) (LOWEST + (HIGHEST - LOWEST) * share);
    }
    return values;
  }
}
