package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.methods.CofiTask;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.examples.ExampleBatch;

/** Gates learned beside the teacher (Xia et al. 2022), with checkpoints in RUN/pruning. */
final class CofiMethod implements StructureMethod {

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    Weights learned = learn(site);
    if (learned == null) {
      return null;
    }
    GateValues gates =
        PlanSearch.meeting(
            site.target(), GateLogits.from(site.blocks(), learned), site.settings().roundTo());
    return new Choice(PruningPlan.from(site.blocks(), gates), learned);
  }

  private static @Nullable Weights learn(TaskPruneSite site) {
    PruningSection settings = site.settings();
    RunConfig config = site.config();
    CofiTask<ExampleBatch> cofi =
        new CofiTask<>(
            site.pair(site.full()),
            site.blocks(),
            TaskConfigs.gates(settings),
            site.target(),
            Math.round(settings.steps() * settings.rampFraction()),
            TaskConfigs.optimizer(config.training(), settings.learningRate()),
            TaskConfigs.schedule(config.training(), 0, settings.steps()),
            config.training().clipNorm());
    return site.learn(cofi);
  }
}
