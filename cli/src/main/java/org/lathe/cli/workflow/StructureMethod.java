package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.masks.GlobalMasks;
import org.lathe.pruning.masks.WeightMasks;
import org.lathe.pruning.methods.DistillationConfig;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.files.Storage;

/**
 * A way of choosing which units of an encoder stay. CoFi and its rivals differ here only: slimming,
 * fine-tuning and measuring are the same for all.
 */
interface StructureMethod {

  /**
   * What was chosen.
   *
   * @param weights that the plan slices, of the unpruned shape; beside them, where the method has
   *     learned it, the projection of layer distillation
   * @param masks of the slim model's kernels, for methods that leave zeros in them
   */
  record Choice(PruningPlan plan, Weights weights, WeightMasks masks) {
    Choice(PruningPlan plan, Weights weights) {
      this(plan, weights, WeightMasks.NONE);
    }
  }

  /**
   * Refuses what the method cannot do, and runs that it cannot go by, before anything is measured,
   * trained or written.
   *
   * @throws org.lathe.graphs.errors.ConfigException naming the key
   */
  default void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {}

  /** Whether the target decides how much goes; if not, it is neither measured nor checked. */
  default boolean followsTarget(PruningSection settings) {
    return true;
  }

  /** The choice, or null when a signal asked to stop; calling again continues. */
  @Nullable Choice choose(TaskPruneSite site);

  /**
   * Trains the slim model on before it is fine-tuned, for methods that learn after their choice;
   * calling again continues.
   *
   * @param slim weights that the choice leaves
   * @return weights of the same shapes, or null when a signal asked to stop
   */
  default @Nullable Weights teach(TaskPruneSite site, PruningPlan plan, Weights slim) {
    return slim;
  }

  /** What the student learns from beside its teacher, in fine-tuning too. */
  default DistillationConfig distillation(PruningSection settings) {
    return TaskConfigs.distillation(settings);
  }

  static StructureMethod of(PruningSection.Method method) {
    return switch (method) {
      case COFI -> new CofiMethod();
      case MAGNITUDE -> new MaskMethod(GlobalMasks.Criterion.MAGNITUDE);
      case MOVEMENT -> new MaskMethod(GlobalMasks.Criterion.MOVEMENT);
      case BLOCK -> new BlockMethod();
      case RANDOM -> new RandomMethod();
      case SCRATCH -> new ScratchMethod();
      case LAYER_DROP -> new LayerDropMethod();
      case HEADS -> new HeadsMethod();
      case ONE_SHOT -> new OneShotMethod();
      case TINYBERT -> new TinyBertMethod();
    };
  }
}
