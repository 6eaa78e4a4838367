package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.GradientSample;
import org.lathe.pruning.importance.HeadRemoval;
import org.lathe.pruning.plan.PruningPlan;

/** The heads go to which the loss is least sensitive (Michel et al. 2019). */
final class HeadsMethod implements StructureMethod {

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    PruningPlan settled = ReferencePlan.settled(site);
    if (settled != null) {
      return new Choice(settled, site.teacherWeights());
    }
    GradientSample sample = ImportanceStage.run(site);
    if (sample == null) {
      return null;
    }
    GateValues gates =
        HeadRemoval.meeting(site.target(), site.blocks(), sample.sensitivityOfHeads());
    site.noteWhereMissed(gates, "no head is left");
    return new Choice(PruningPlan.from(site.blocks(), gates), site.teacherWeights());
  }
}
