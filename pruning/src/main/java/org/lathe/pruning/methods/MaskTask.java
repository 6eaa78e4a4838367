package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.masks.MaskRule;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/**
 * The pruning stage of the methods that mask weights or blocks of weights: weights learn from data
 * and teacher, as they do under CoFi, while a rule closes masks. What is masked depends on the
 * weights, the scores and the step only, so a resumed run continues a straight one.
 *
 * @param <B> the batches of the pair
 * @param pair the masked student and its teacher
 * @param kernels of the student
 * @param scoreLearningRate of the rule's scores, if it has any: Adam, by the schedule of the
 *     weights, not clipped
 */
public record MaskTask<B>(
    DistillationPair.Factory<B> pair,
    PrunableKernels kernels,
    MaskRule rule,
    double scoreLearningRate,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm)
    implements TrainingTask<B> {

  @Override
  public Built<B> build(Site site) {
    DistillationPair<B> built = pair.build(site);
    MaskRule.Installed masks = rule.install(site, kernels);
    Dropout dropout = Dropout.of(kernels.config(), site.seed(), site.feeds().step());
    DistillationPair.Loss loss = built.loss(Gates.NONE, null, dropout);
    Operand<TFloat32> penalty = masks.penalty();
    return new Built<>(
        built.input(),
        penalty == null ? loss.loss() : site.tf().math.add(loss.loss(), penalty),
        built.validationLoss(Gates.NONE),
        ImmutableMap.<String, Operand<TFloat32>>builder()
            .putAll(loss.terms())
            .putAll(masks.metrics())
            .buildOrThrow(),
        groups(site, built.trained()),
        clipNorm);
  }

  private List<ParameterGroup> groups(Site site, List<Variable> trained) {
    ImmutableList.Builder<ParameterGroup> groups = ImmutableList.builder();
    groups.add(ParameterGroup.of("model", trained, optimizer, Schedule.of(schedule)));
    List<Variable> scores = site.catalog().of(VariableGroup.GATE);
    if (!scores.isEmpty()) {
      groups.add(
          ParameterGroup.of(
                  "scores", scores, OptimizerConfig.adamW(scoreLearningRate), Schedule.of(schedule))
              .unclipped());
    }
    return groups.build();
  }
}
