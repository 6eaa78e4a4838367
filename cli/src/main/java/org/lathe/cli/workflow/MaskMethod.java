package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.masks.GlobalMasks;
import org.lathe.pruning.masks.MaskRule;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.pruning.masks.WeightMasks;
import org.lathe.pruning.methods.MaskTask;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.files.Storage;

/**
 * Single weights of attention and feed-forward kernels become 0, by magnitude or by movement. Every
 * head and unit stays, so the model gets neither smaller nor faster; the zeros are kept through
 * fine-tuning and into the export.
 */
final class MaskMethod implements StructureMethod {
  /** 5,400 of about 55,000 in the recipe of Sanh et al. (2020) for SQuAD. */
  private static final int STEPS_PER_UNMASKED_STEP = 10;

  private final GlobalMasks.Criterion criterion;

  MaskMethod(GlobalMasks.Criterion criterion) {
    this.criterion = criterion;
  }

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    if (settings.target().speedup() != null) {
      throw new ConfigException(
          "pruning.target.speedup is "
              + settings.target().speedup()
              + ", but zeros that pruning.method="
              + ConfigSchema.wordOf(criterion)
              + " leaves in dense matrices save no time; give a share of zeros instead, such as"
              + " pruning.target.sparsity=0.9");
    }
    if (settings.target().parameters() != null) {
      throw new ConfigException(
          "pruning.target.parameters is "
              + settings.target().parameters()
              + ", but pruning.method="
              + ConfigSchema.wordOf(criterion)
              + " sets weights to zero and removes none; give the share of zeros instead, such as"
              + " pruning.target.sparsity=0.9");
    }
    EncoderSource.requireStudent(settings, teacher, storage);
  }

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    PrunableKernels kernels = new PrunableKernels(site.blocks(), Encoder.PREFIX);
    GlobalMasks rule =
        new GlobalMasks(
            criterion,
            site.target().reduction(),
            firstStep(site.settings()),
            rampSteps(site.settings()));
    Weights learned = site.learn(task(site, kernels, rule));
    if (learned == null) {
      return null;
    }
    WeightMasks masks = rule.masks(kernels, learned);
    return new Choice(
        PruningPlan.from(site.blocks(), GateValues.allOpen(site.blocks())),
        masks.applyTo(learned),
        masks);
  }

  /** A stage in which a rule masks the student. */
  static MaskTask<ExampleBatch> task(TaskPruneSite site, PrunableKernels kernels, MaskRule rule) {
    PruningSection settings = site.settings();
    return new MaskTask<>(
        site.pair(site.full()),
        kernels,
        rule,
        settings.gateLearningRate(),
        TaskConfigs.optimizer(site.config().training(), settings.learningRate()),
        TaskConfigs.schedule(
            site.config().training(), PruneFacts.warmupSteps(settings.steps()), settings.steps()),
        site.config().training().clipNorm());
  }

  /** Before it nothing is masked, until scores say more than the sign of a first step. */
  static long firstStep(PruningSection settings) {
    return settings.steps() / STEPS_PER_UNMASKED_STEP;
  }

  static long rampSteps(PruningSection settings) {
    return Math.round(settings.steps() * settings.rampFraction());
  }
}
