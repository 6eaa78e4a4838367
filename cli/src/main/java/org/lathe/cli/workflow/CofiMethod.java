package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.GateStart;
import org.lathe.pruning.importance.GradientSample;
import org.lathe.pruning.methods.CofiTask;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.Trainer;

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
    return site.learn(cofi, (trainer, directory) -> startGates(trainer, site, directory));
  }

  /** Of a new stage; one that resumes has its gates in the checkpoint. False when stopped. */
  private static boolean startGates(
      Trainer<ExampleBatch> trainer, TaskPruneSite site, Path directory) {
    if (site.settings().initialization() == PruningSection.Initialization.UNIFORM
        || new CheckpointStore(site.context().storage(), directory, 1).latest().isPresent()) {
      return true;
    }
    GradientSample sample = ImportanceStage.run(site);
    if (sample == null) {
      return false;
    }
    trainer.startGates(
        GateStart.byRank(sample.fisher(), trainer.gateLogits()), site.teacher().path().toString());
    return true;
  }
}
