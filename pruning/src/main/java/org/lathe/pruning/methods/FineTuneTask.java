package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.pruning.masks.WeightMasks;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;

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

  @Override
  public Built<B> build(Site site) {
    DistillationPair<B> built = pair.build(site);
    masks.install(site.tf(), site.catalog());
    Dropout dropout = Dropout.of(slim, site.seed(), site.feeds().step());
    DistillationPair.Loss loss = built.loss(Gates.NONE, null, dropout);
    return new Built<>(
        built.input(),
        loss.loss(),
        loss.taskLoss(),
        ImmutableMap.copyOf(loss.terms()),
        ImmutableList.of(
            ParameterGroup.of("model", built.trained(), optimizer, Schedule.of(schedule))),
        clipNorm,
        ImmutableList.of(),
        ImmutableList.of(),
        built.outputs());
  }
}
