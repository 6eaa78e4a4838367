package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.TrainingSection;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.methods.DistillationConfig;
import org.lathe.pruning.methods.TinyBertTask;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.UniformShape;

/**
 * TinyBERT's two stages of task distillation (Jiao et al. 2020): a student of a small uniform shape
 * learns its teacher's inner states, with checkpoints in RUN/pruning, then its predictions. The
 * shape depends on the target alone and the student starts as a cut-out of its teacher, where the
 * published one starts from general distillation on plain text.
 */
final class TinyBertMethod implements StructureMethod {
  @Override
  public Choice choose(TaskPruneSite site) {
    PruningSection settings = site.settings();
    UniformShape shape =
        UniformShape.meeting(
            site.target(), site.blocks(), settings.studentLayers(), settings.roundTo());
    return new Choice(PruningPlan.from(site.blocks(), shape.gates()), site.teacherWeights());
  }

  @Override
  public @Nullable Weights teach(TaskPruneSite site, PruningPlan plan, Weights slim) {
    PruningSection settings = site.settings();
    TrainingSection training = site.config().training();
    TinyBertTask intermediate =
        new TinyBertTask(
            site.full(),
            site.head(),
            plan,
            site.task().freezeEmbeddings(),
            TaskConfigs.optimizer(training, settings.learningRate()),
            TaskConfigs.schedule(
                training, PruneFacts.warmupSteps(settings.steps()), settings.steps()),
            training.clipNorm());
    Weights learned = site.learn(intermediate, slim);
    if (learned == null) {
      return null;
    }
    Weights taught = new Weights();
    for (String name : slim.names()) {
      Weights.Array array = learned.get(name);
      taught.put(name, array.shape(), array.values());
    }
    return taught;
  }

  /** The prediction loss alone, at the configured temperature (published: 1). */
  @Override
  public DistillationConfig distillation(PruningSection settings) {
    DistillationConfig configured = TaskConfigs.distillation(settings);
    return new DistillationConfig(0, 1, 0, configured.temperature(), configured.matching());
  }
}
