package org.lathe.cli.workflow;

import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.importance.FreshStudent;
import org.lathe.pruning.importance.RandomUnits;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.EncoderTask;
import org.lathe.training.loop.Trainer;

/** The shape of another pruned run with fresh weights: what its units and weights are worth. */
final class ScratchMethod implements StructureMethod {

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    ReferencePlan.read(settings, teacher, storage);
  }

  @Override
  public boolean followsTarget(PruningSection settings) {
    return false;
  }

  @Override
  public Choice choose(TaskPruneSite site) {
    PruningPlan plan =
        PruningPlan.from(site.blocks(), RandomUnits.binary(ReferencePlan.read(site).gates()));
    return new Choice(plan, FreshStudent.of(site.full(), site.head(), initialWeights(site), plan));
  }

  /** Of the unpruned shape. */
  private static Weights initialWeights(TaskPruneSite site) {
    EncoderTask task =
        new EncoderTask(
            site.full(),
            site.head(),
            false,
            TaskConfigs.optimizer(site.config().training(), site.settings().learningRate()),
            TaskConfigs.schedule(site.config().training(), 0, 1),
            0);
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(task, TaskConfigs.taskLoop(site.config(), site.task(), 1))) {
      return trainer.modelWeights();
    }
  }
}
