package org.lathe.pruning.methods;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableSet;
import java.util.Set;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.InitialLogAlpha;

/**
 * Which gates are learned and how.
 *
 * @param initial means of log alpha
 * @param learningRate of log alpha; Adam moves it at most this far a step, so it takes (initial
 *     mean + 1.6) / learningRate steps to close a gate
 * @param multiplierLearningRate of lambda1 and lambda2 (CoFi: 0.01)
 * @param logAlphaLimit log alpha is cut to [-limit, limit] after each step
 */
public record GateConfig(
    Set<GateKind> kinds,
    InitialLogAlpha initial,
    double learningRate,
    double multiplierLearningRate,
    double logAlphaLimit) {
  public GateConfig {
    kinds = ImmutableSet.copyOf(kinds);
    Preconditions.checkArgument(!kinds.isEmpty(), "pruning needs at least one kind of gate");
    Preconditions.checkArgument(
        learningRate > 0 && multiplierLearningRate > 0,
        "gate learning rates (%s, %s) must be positive",
        learningRate,
        multiplierLearningRate);
    Preconditions.checkArgument(
        logAlphaLimit > 0, "logAlphaLimit (%s) must be positive", logAlphaLimit);
  }
}
