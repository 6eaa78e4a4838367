package org.lathe.cli.workflow;

import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.LayerRemoval;
import org.lathe.pruning.plan.PruningPlan;

/** The topmost layers go (Sajjad et al. 2020). */
final class LayerDropMethod implements StructureMethod {

  @Override
  public Choice choose(TaskPruneSite site) {
    GateValues gates = LayerRemoval.ofTop(site.target(), site.blocks());
    site.noteWhereMissed(gates, "only the bottom layer is left");
    return new Choice(PruningPlan.from(site.blocks(), gates), site.teacherWeights());
  }
}
