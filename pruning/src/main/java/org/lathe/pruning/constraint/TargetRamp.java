package org.lathe.pruning.constraint;

import com.google.common.base.Preconditions;
import java.util.function.LongToDoubleFunction;

/**
 * The target over time: its start until pruning begins, then t(k) = start + (end - start) min(1, k
 * / K), linear, for k optimizer steps since then.
 *
 * @param start what is gone already; 0 for a model that was not pruned before
 * @param end the final target
 * @param firstStep optimizer step at which pruning begins
 * @param numRampSteps K; 0 = the final target at once
 */
public record TargetRamp(double start, double end, long firstStep, long numRampSteps)
    implements LongToDoubleFunction {
  public TargetRamp {
    Preconditions.checkArgument(start >= 0 && start < 1, "start (%s) must be in [0, 1)", start);
    Preconditions.checkArgument(end >= 0 && end < 1, "target (%s) must be in [0, 1)", end);
    Preconditions.checkArgument(firstStep >= 0, "firstStep (%s) must not be negative", firstStep);
    Preconditions.checkArgument(
        numRampSteps >= 0, "numRampSteps (%s) must not be negative", numRampSteps);
  }

  /** From 0. */
  public TargetRamp(double end, long firstStep, long numRampSteps) {
    this(0, end, firstStep, numRampSteps);
  }

  @Override
  public double applyAsDouble(long step) {
    if (step < firstStep) {
      return start;
    }
    double share = numRampSteps == 0 ? 1 : (double) (step - firstStep) / numRampSteps;
    return start + (end - start) * Math.min(1, share);
  }
}
