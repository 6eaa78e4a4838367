package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.budget.ExpectedSizeOps;
import org.lathe.pruning.constraint.Lagrangian;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.constraint.TargetRamp;
import org.lathe.pruning.gates.GateSet;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/**
 * CoFi's pruning stage (Xia et al. 2022): weights learn from data and teacher, gates close under a
 * Lagrangian until the expected size or time meets the target, which rises linearly.
 *
 * @param <B> the batches of the pair
 * @param pair the gated student and its teacher
 * @param model shape of the gated student, whose blocks are all alike
 * @param target final reduction of parameters or of measured time
 * @param startReduction where it starts; above 0 for gates that were learned for a smaller target
 * @param numRampSteps steps over which the target rises
 */
public record CofiTask<B>(
    DistillationPair.Factory<B> pair,
    TransformerConfig model,
    GateConfig gates,
    PruningTarget target,
    double startReduction,
    long numRampSteps,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm)
    implements TrainingTask<B> {

  /** CoFi's Adam settings for gates and multipliers: constant rate, no decay. */
  private static OptimizerConfig adam(double learningRate) {
    return OptimizerConfig.adamW(learningRate);
  }

  @Override
  public Built<B> build(Site site) {
    DistillationPair<B> built = pair.build(site);
    GateSet gateSet =
        GateSet.sampled(
            site.tf(),
            site.catalog(),
            model,
            gates.kinds(),
            gates.initial(),
            site.seed(),
            site.feeds().step());
    Dropout dropout = Dropout.of(model, site.seed(), site.feeds().step());
    DistillationPair.Loss loss = built.loss(gateSet, gateSet.existingLayers(), dropout);

    Lagrangian lagrangian = new Lagrangian(site.catalog());
    Operand<TFloat32> goal =
        Lagrangian.target(
            site.feeds(), new TargetRamp(startReduction, target.reduction(), 0, numRampSteps));
    Operand<TFloat32> achieved =
        target.achieved(site.tf(), model, ExpectedSizeOps.of(site.tf(), model, gateSet));
    Operand<TFloat32> constraint = lagrangian.loss(site.tf(), achieved, goal);

    return new Built<>(
        built.input(),
        site.tf().math.add(loss.loss(), constraint),
        built.validationLoss(gateSet), // gates as they are sampled in this step
        ImmutableMap.<String, Operand<TFloat32>>builder()
            .putAll(loss.terms())
            .put("reduction", achieved)
            .put("reductionTarget", site.tf().identity(goal)) // a placeholder cannot be fetched
            .put("lambda1", lagrangian.lambda1().read())
            .put("lambda2", lagrangian.lambda2().read())
            .buildOrThrow(),
        groups(site, built.trained()),
        clipNorm);
  }

  private List<ParameterGroup> groups(Site site, List<Variable> trained) {
    Schedule constant = Schedule.of(ScheduleConfig.constant());
    return ImmutableList.of(
        ParameterGroup.of("model", trained, optimizer, Schedule.of(schedule)),
        ParameterGroup.of(
                "gates",
                site.catalog().of(VariableGroup.GATE),
                adam(gates.learningRate()),
                constant)
            .unclipped()
            .withValueLimit(gates.logAlphaLimit()),
        ParameterGroup.of(
                "multipliers",
                site.catalog().of(VariableGroup.MULTIPLIER),
                adam(gates.multiplierLearningRate()),
                constant)
            .unclipped()
            .ascending()
            .withValueLimit(Lagrangian.MULTIPLIER_LIMIT));
  }
}
