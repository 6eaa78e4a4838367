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
 * at the structure that the scores alone would choose for a reduction r, that of the target or a
 * part of it, which training then corrects around its edge. A unit's worth is its score over its
 * cost, the share of the target's parameters or time that it takes, in one order for both kinds;
 * c_u is what removing all that are worth less would save:
 *
 * <pre>
 *   log alpha_u = h + spread (c_u - r) / (max c - r)   where c_u >= r
 *               = h - spread (r - c_u) / r             elsewhere;   P(open | h) = 1/2
 * </pre>
 *
 * <p>Not in the paper, whose gates all start open, heads at 4.6 and units at 0. Under the
 * Lagrangian gates close at a pace that depends on their kind: the share of a head is that of a
 * hundred units, which Adam makes a steady step, while a unit's is lost in the noise of the loss.
 * So heads go first whatever they are worth. From a start at the target nothing has to be closed.
 */
public final class GateStart {
  /** h: where a gate is open with probability 1/2. */
  private static final double HALF_OPEN =
      HardConcrete.TEMPERATURE * Math.log(-HardConcrete.STRETCH_LOW / HardConcrete.STRETCH_HIGH);

  private GateStart() {}

  private record Unit(GateKind kind, int index, double cost, double worth) {}

  /**
   * The start of all gates.
   *
   * @param target by which costs are counted
   * @param reduction r, more than 0
   * @param full the unpruned model, whose blocks are all alike
   * @param usual values of all gate variables; those of heads and units are replaced where they are
   *     there. Not changed
   * @param spread distance of the ends from half open
   */
  public static Weights at(
      UnitScores scores,
      PruningTarget target,
      double reduction,
      TransformerConfig full,
      Weights usual,
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
    double most = units.stream().limit(Math.max(0, units.size() - 1)).mapToDouble(Unit::cost).sum();
    double below = 0;
    for (Unit unit : units) {
      start.get(unit.kind().variableName()).values()[unit.index()] =
          (float) (HALF_OPEN + spread * place(below, reduction, most));
      below += unit.cost();
    }
    return start;
  }

  /** -1 for what is worth least, 0 at the edge of the structure, 1 for what is worth most. */
  private static double place(double below, double reduction, double most) {
    if (below < reduction) {
      return (below - reduction) / reduction;
    }
    return most > reduction ? (below - reduction) / (most - reduction) : 1;
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
