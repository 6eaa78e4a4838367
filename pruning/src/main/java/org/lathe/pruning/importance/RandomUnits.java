package org.lathe.pruning.importance;

import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;

/** Units that stay by lot: what any choice must beat. */
public final class RandomUnits {
  /** Standard deviation of random logits: wide against the step between open and closed. */
  private static final double SPREAD = 2;

  private RandomUnits() {}

  /**
   * As many hidden dimensions, and in each layer as many heads and units, as the plan keeps.
   *
   * @param full blocks of the model that is pruned, of the sizes of the plan's
   */
  public static GateValues like(PruningPlan plan, TransformerConfig full, long seed) {
    Random random = new Random(seed);
    GateValues gates = GateValues.allOpen(full);
    draw(gates.hidden(), plan.keptHidden().size(), random);
    for (int layer = 0; layer < full.numLayers(); layer++) {
      LayerPlan kept = plan.layers().get(layer);
      draw(gates.heads()[layer], kept.keptHeads().size(), random);
      draw(gates.intermediate()[layer], kept.keptIntermediate().size(), random);
    }
    return gates.closed();
  }

  private static void draw(float[] gates, int count, Random random) {
    double[] lots = random.doubles(gates.length).toArray();
    float[] drawn = Structures.best(lots, count);
    System.arraycopy(drawn, 0, gates, 0, gates.length);
  }

  /**
   * The least pruned structure of random logits that reaches the target; what is open is 1.
   *
   * @param kinds of units that may go
   * @param roundTo see {@link PlanSearch#meeting}
   * @throws org.lathe.graphs.errors.FailedException when even the smallest does not reach it
   */
  public static GateValues meeting(
      PruningTarget target, TransformerConfig full, Set<GateKind> kinds, int roundTo, long seed) {
    Random random = new Random(seed);
    Map<GateKind, float[]> logits = new EnumMap<>(GateKind.class);
    for (GateKind kind : GateKind.values()) {
      if (kinds.contains(kind)) {
        float[] values = new float[Math.toIntExact(kind.shape(full).size())];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (SPREAD * random.nextGaussian());
        }
        logits.put(kind, values);
      }
    }
    return binary(PlanSearch.meeting(target, new GateLogits(full, logits), roundTo));
  }

  /** 1 for every open gate: random values would scale what they keep. */
  public static GateValues binary(GateValues gates) {
    return new GateValues(
        binary(gates.hidden()),
        binary(gates.heads()),
        binary(gates.intermediate()),
        binary(gates.attentionLayer()),
        binary(gates.feedForwardLayer()));
  }

  private static float[][] binary(float[][] rows) {
    float[][] result = new float[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      result[i] = binary(rows[i]);
    }
    return result;
  }

  private static float[] binary(float[] values) {
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i] > 0 ? 1 : 0;
    }
    return result;
  }
}
