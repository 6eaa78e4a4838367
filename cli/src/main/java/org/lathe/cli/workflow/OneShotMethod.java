package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.importance.GradientSample;
import org.lathe.pruning.importance.OneShot;
import org.lathe.pruning.importance.Rescaling;
import org.lathe.pruning.plan.PruningPlan;

/** Heads and units by their Fisher scores, the rest rescaled (Kwon et al. 2022). */
final class OneShotMethod implements StructureMethod {

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    PruningPlan plan = plan(site);
    if (plan == null) {
      return null;
    }
    site.context().console().note("rescaling what is kept");
    Weights rescaled =
        Rescaling.rescale(
            site.full(),
            site.teacherWeights(),
            plan.gates(),
            site.batches(),
            site.settings().importanceBatches(),
            site.config().threads());
    return new Choice(plan, rescaled);
  }

  /** Null when a signal asked to stop. */
  private static @Nullable PruningPlan plan(TaskPruneSite site) {
    PruningPlan settled = ReferencePlan.settled(site);
    if (settled != null) {
      return settled;
    }
    GradientSample sample = ImportanceStage.run(site);
    return sample == null
        ? null
        : PruningPlan.from(
            site.blocks(),
            OneShot.meeting(site.target(), site.blocks(), sample, site.settings().roundTo()));
  }
}
