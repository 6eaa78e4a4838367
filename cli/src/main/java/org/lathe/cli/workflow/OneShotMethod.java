package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.GradientSample;
import org.lathe.pruning.importance.OneShot;
import org.lathe.pruning.importance.Rescaling;
import org.lathe.pruning.plan.PruningPlan;

/** Heads and units by their Fisher scores, the rest rescaled (Kwon et al. 2022). */
final class OneShotMethod implements StructureMethod {

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    GradientSample sample = ImportanceStage.run(site);
    if (sample == null) {
      return null;
    }
    GateValues gates =
        OneShot.meeting(site.target(), site.blocks(), sample, site.settings().roundTo());
    site.context().console().note("rescaling what is kept");
    Weights rescaled =
        Rescaling.rescale(
            site.full(),
            site.teacherWeights(),
            gates,
            site.batches(),
            site.settings().importanceBatches(),
            site.config().threads());
    return new Choice(PruningPlan.from(site.blocks(), gates), rescaled);
  }
}
