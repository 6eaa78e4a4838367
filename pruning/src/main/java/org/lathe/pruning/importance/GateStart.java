package org.lathe.pruning.importance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.HardConcrete;

/**
 * Where CoFi's gates of heads and feed-forward units start when they know how much each is worth:
 * its score over its cost, the share of the target's parameters or time that it takes, in one order
 * for both kinds. What is below a unit in this order, c_u, is what removing all that are worth less
 * would save. Not in the paper, where heads start at 4.6 and units at 0, each kind alike.
 */
public final class GateStart {
  /** Where a gate is open with probability 1/2, and the decision between open and closed. */
  private static final double HALF_OPEN =
      HardConcrete.TEMPERATURE * Math.log(-HardConcrete.STRETCH_LOW / HardConcrete.STRETCH_HIGH);

  private GateStart() {}

  /** What a unit's place in the order makes of it. */
  private interface Place {
    /**
     * @param below c_u
     * @param most that of the unit worth most
     * @return log alpha
     */
    double logAlpha(double below, double most);
  }

  private record Unit(GateKind kind, int index, double cost, double worth) {}

  /**
   * All open, and those that are worth least the nearest to closing:
   *
   * <pre>
   *   log alpha_u = mean + spread (2 c_u / max c - 1)
   * </pre>
   *
   * @param full the unpruned model, whose blocks are all alike
   * @param usual values of all gate variables; those of heads and units are replaced where they are
   *     there. Not changed
   * @param mean of log alpha, half-way between the ends
   * @param spread half the distance of the first and the last
   */
  public static Weights byWorth(
      UnitScores scores,
      PruningTarget target,
      TransformerConfig full,
      Weights usual,
      double mean,
      double spread) {
    return placed(
        scores,
        target,
        full,
        usual,
        (below, most) -> mean + spread * (2 * (most > 0 ? below / most : 0.5) - 1));
  }

  /**
   * At the structure that the scores alone would choose for a target of r, which training then
   * corrects around its edge:
   *
   * <pre>
   *   log alpha_u = h + spread (c_u - r) / (max c - r)   where c_u >= r
   *               = h - spread (r - c_u) / r             elsewhere;   P(open | h) = 1/2
   * </pre>
   *
   * <p>Gates that close under the Lagrangian do so at a pace that depends on their kind: a head's
   * share of the constraint is as large as that of a hundred units and drowns its loss, a unit's
   * drowns in it. From here nothing has to be closed by it.
   *
   * @param spread distance of the ends from half open
   */
  public static Weights atTarget(
      UnitScores scores,
      PruningTarget target,
      TransformerConfig full,
      Weights usual,
      double spread) {
    double reduction = target.reduction();
    return placed(
        scores,
        target,
        full,
        usual,
        (below, most) ->
            below >= reduction
                ? HALF_OPEN
                    + spread * (most > reduction ? (below - reduction) / (most - reduction) : 1)
                : HALF_OPEN - spread * (reduction - below) / reduction);
  }

  private static Weights placed(
      UnitScores scores, PruningTarget target, TransformerConfig full, Weights usual, Place place) {
    List<Unit> units = new ArrayList<>();
    Weights start = new Weights();
    for (String name : usual.names()) {
      Weights.Array array = usual.get(name);
      float[] values = array.values();
      if (name.equals(GateKind.HEADS.variableName())) {
        values = values.clone();
        add(units, GateKind.HEADS, scores.heads(), headCost(target, full));
      } else if (name.equals(GateKind.INTERMEDIATE.variableName())) {
        values = values.clone();
        add(units, GateKind.INTERMEDIATE, scores.intermediate(), unitCost(target, full));
      }
      start.put(name, array.shape(), values);
    }
    units.sort(Comparator.comparingDouble(Unit::worth)); // stable: ties by place
    double most = units.stream().limit(Math.max(0, units.size() - 1)).mapToDouble(Unit::cost).sum();
    double below = 0;
    for (Unit unit : units) {
      start.get(unit.kind().variableName()).values()[unit.index()] =
          (float) place.logAlpha(below, most);
      below += unit.cost();
    }
    return start;
  }

  private static void add(List<Unit> units, GateKind kind, double[][] scores, double cost) {
    int index = 0;
    for (double[] layer : scores) {
      for (double score : layer) {
        units.add(new Unit(kind, index, cost, score / cost));
        index++;
      }
    }
  }

  /** What closing all heads would remove, of one of them. */
  private static double headCost(PruningTarget target, TransformerConfig full) {
    GateValues open = GateValues.allOpen(full);
    return removed(target, full, open, open.heads());
  }

  private static double unitCost(PruningTarget target, TransformerConfig full) {
    GateValues open = GateValues.allOpen(full);
    return removed(target, full, open, open.intermediate());
  }

  private static double removed(
      PruningTarget target, TransformerConfig full, GateValues gates, float[][] closing) {
    int number = 0;
    for (float[] layer : closing) {
      Arrays.fill(layer, 0);
      number += layer.length;
    }
    return target.achieved(full, ExpectedSizes.of(gates.closed())) / number;
  }
}
