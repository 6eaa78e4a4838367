package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Floats;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.pruning.masks.WeightMasks;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * CoFi's last stage: the sliced model, without gates, goes on learning from data and teacher.
 * Without it several points are lost (reference, section 8).
 *
 * @param <B> the batches of the pair
 * @param pair the slim student and the unpruned teacher
 * @param slim shape of the student
 * @param masks of the student's kernels: what is 0 there stays 0
 */
public record FineTuneTask<B>(
    DistillationPair.Factory<B> pair,
    TransformerConfig slim,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm,
    WeightMasks masks)
    implements TrainingTask<B> {

  /** Of a student whose weights are all there. */
  public FineTuneTask(
      DistillationPair.Factory<B> pair,
      TransformerConfig slim,
      OptimizerConfig optimizer,
      ScheduleConfig schedule,
      double clipNorm) {
    this(pair, slim, optimizer, schedule, clipNorm, WeightMasks.NONE);
  }

  /** [L]: 1 where a layer of the student has something left, else 0; null where all have. */
  private @Nullable Operand<TFloat32> existingLayers(Ops tf) {
    float[] existsL = new float[slim.numLayers()];
    for (int layer = 0; layer < existsL.length; layer++) {
      BlockShape block = slim.blocks().get(layer);
      existsL[layer] = block.numHeads() > 0 || block.intermediateSize() > 0 ? 1 : 0;
    }
    // a layer that is gone repeats the state below it and follows no teacher layer of its own
    return Floats.contains(existsL, 0) ? tf.constant(existsL) : null;
  }

  @Override
  public Built<B> build(Site site) {
    DistillationPair<B> built = pair.build(site);
    masks.install(site.tf(), site.catalog());
    Dropout dropout = Dropout.of(slim, site.seed(), site.feeds().step());
    DistillationPair.Loss loss = built.loss(Gates.NONE, existingLayers(site.tf()), dropout);
    return new Built<>(
        built.input(),
        loss.loss(),
        built.validationLoss(Gates.NONE),
        ImmutableMap.copyOf(loss.terms()),
        ImmutableList.of(
            ParameterGroup.of("model", built.trained(), optimizer, Schedule.of(schedule))),
        clipNorm,
        ImmutableList.of(),
        ImmutableList.of(),
        built.outputs());
  }
}
