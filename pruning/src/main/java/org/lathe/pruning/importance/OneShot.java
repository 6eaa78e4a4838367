package org.lathe.pruning.importance;

import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;

/**
 * The structure of retraining-free pruning (Kwon et al. 2022): the best by the diagonal Fisher
 * under the target, rearranged within each sublayer by the block Fisher. {@link Rescaling} follows.
 */
public final class OneShot {
  private OneShot() {}

  /**
   * Gates of 1 and 0; hidden dimensions all stay.
   *
   * @param roundTo see {@link BudgetSearch#meeting}
   */
  public static GateValues meeting(
      PruningTarget target, TransformerConfig full, GradientSample sample, int roundTo) {
    GateValues gates = BudgetSearch.meeting(target, full, sample.fisher(), roundTo);
    for (int layer = 0; layer < full.numLayers(); layer++) {
      Rearrangement.improve(gates.heads()[layer], sample.ofHeads(layer));
      Rearrangement.improve(gates.intermediate()[layer], sample.ofUnits(layer));
    }
    return gates;
  }
}
