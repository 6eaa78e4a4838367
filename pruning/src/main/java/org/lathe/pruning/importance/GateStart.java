package org.lathe.pruning.importance;

import com.google.common.primitives.Ints;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateKind;

/**
 * Where CoFi's gates of heads and feed-forward units start when they know how much each matters:
 * log alpha by rank, from mean - spread for the unit of a kind that matters least to mean + spread
 * for the one that matters most, evenly, around the mean at which they would all start. Not in the
 * paper, where all start alike.
 */
public final class GateStart {
  private GateStart() {}

  /**
   * The start of all gates.
   *
   * @param usual values of all gate variables; those of heads and units are replaced where they are
   *     there. Not changed
   * @param mean of log alpha
   * @param spread half the distance of the first and the last
   */
  public static Weights byRank(UnitScores scores, Weights usual, double mean, double spread) {
    Weights start = new Weights();
    for (String name : usual.names()) {
      Weights.Array array = usual.get(name);
      float[] values = array.values();
      if (name.equals(GateKind.HEADS.variableName())) {
        values = spread(scores.heads(), mean, spread);
      } else if (name.equals(GateKind.INTERMEDIATE.variableName())) {
        values = spread(scores.intermediate(), mean, spread);
      }
      start.put(name, array.shape(), values);
    }
    return start;
  }

  private static float[] spread(double[][] scores, double mean, double spread) {
    int[] ranks = Ints.concat(UnitScores.ranks(scores));
    float[] values = new float[ranks.length];
    for (int i = 0; i < values.length; i++) {
      double share = ranks.length == 1 ? 0.5 : (double) ranks[i] / (ranks.length - 1);
      values[i] = (float) (mean + spread * (2 * share - 1));
    }
    return values;
  }
}
