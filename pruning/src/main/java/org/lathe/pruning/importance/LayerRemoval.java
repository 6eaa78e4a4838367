package org.lathe.pruning.importance;

import java.util.Arrays;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;

/** The topmost layers go, both sublayers of each (Sajjad et al. 2020, top-layer dropping). */
public final class LayerRemoval {
  private LayerRemoval() {}

  /**
   * As few layers as reach the target. The bottom layer stays in any case, so that a target above
   * what all others make is missed.
   */
  public static GateValues ofTop(PruningTarget target, TransformerConfig full) {
    GateValues gates = GateValues.allOpen(full);
    for (int layer = full.numLayers() - 1;
        layer > 0 && !target.isReached(full, ExpectedSizes.of(gates));
        layer--) {
      close(gates, layer);
    }
    return gates;
  }

  private static void close(GateValues gates, int layer) {
    Arrays.fill(gates.heads()[layer], 0);
    Arrays.fill(gates.intermediate()[layer], 0);
    gates.attentionLayer()[layer] = 0;
    gates.feedForwardLayer()[layer] = 0;
  }
}
