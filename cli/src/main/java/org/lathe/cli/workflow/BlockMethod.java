package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.masks.BlockMasks;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.files.Storage;

/**
 * Block movement pruning, "hybrid filled" (Lagunas et al. 2021): scores of blocks are learned,
 * heads and units without them go, and those that stay are filled again, that is, they go on with
 * all their weights, the masked ones included.
 *
 * <p>In the published method the size is whatever the penalty leads to. Here the order of the
 * learned scores decides what goes and the target decides how much, so that methods can be compared
 * at one size or speed.
 */
final class BlockMethod implements StructureMethod {

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    EncoderSource.requireStudent(settings, teacher, storage);
  }

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    PrunableKernels kernels = new PrunableKernels(site.blocks(), Encoder.PREFIX);
    BlockMasks rule =
        new BlockMasks(
            site.settings().blockPenalty(),
            MaskMethod.firstStep(site.settings()),
            MaskMethod.rampSteps(site.settings()));
    Weights learned = site.learn(MaskMethod.task(site, kernels, rule));
    if (learned == null) {
      return null;
    }
    GateValues gates =
        BlockMasks.unitScores(kernels, learned).meeting(site.target(), site.settings().roundTo());
    return new Choice(PruningPlan.from(site.blocks(), gates), learned);
  }
}
