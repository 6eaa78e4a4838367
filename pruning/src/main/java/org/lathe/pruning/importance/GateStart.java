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

/**
 * Where CoFi's gates of heads and feed-forward units start when they know how much each is worth:
 * its score over its cost, the share of the target's parameters or time that it takes, in one order
 * for both kinds.
 *
 * <pre>
 *   log alpha_u = mean + spread (2 share_u - 1)
 *   share_u     = cost of all that are worth less than u / the same of the unit worth most
 * </pre>
 *
 * <p>Gates whose loss says nothing close at one pace, so those that are worth least close first,
 * and when a target of r is reached without the loss it is the cheapest r that went: what one-shot
 * pruning by the same scores removes. The loss then corrects it. Not in the paper, where heads
 * start at 4.6 and units at 0, each kind alike; with one start for both, heads go first, each of
 * which takes the time of a hundred units and gets as much of the constraint's gradient.
 */
public final class GateStart {
  private GateStart() {}

  private record Unit(GateKind kind, int index, double cost, double worth) {}

  /**
   * The start of all gates.
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
    double total = units.stream().mapToDouble(Unit::cost).sum();
    double most = units.isEmpty() ? 0 : total - units.get(units.size() - 1).cost();
    double before = 0;
    for (Unit unit : units) {
      double share = most > 0 ? before / most : 0.5;
      start.get(unit.kind().variableName()).values()[unit.index()] =
          (float) (mean + spread * (2 * share - 1));
      before += unit.cost();
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
