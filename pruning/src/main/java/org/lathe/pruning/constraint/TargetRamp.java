package org.lathe.pruning.constraint;

import com.google.common.base.Preconditions;
import java.util.function.LongToDoubleFunction;

/**
 * The target over time: 0 until pruning begins, then t(k) = end min(1, k / K), linear, for k
 * optimizer steps since then.
 *
 * @param end the final target
 * @param firstStep optimizer step at which pruning begins
 * @param numRampSteps K; 0 = the final target at once
 */
public record TargetRamp(double end, long firstStep, long numRampSteps)
    implements LongToDoubleFunction {
  public TargetRamp {
    Preconditions.checkArgument(end >= 0 && end < 1, "target (%s) must be in [0, 1)", end);
    Preconditions.checkArgument(firstStep >= 0, "firstStep (%s) must not be negative", firstStep);
    Preconditions.checkArgument(
        numRampSteps >= 0, "numRampSteps (%s) must not be negative", numRampSteps);
  }

  @Override
  public double applyAsDouble(long step) {
    if (step < firstStep) {
      return 0;
    }
    return numRampSteps == 0 ? end : end * Math.min(1, (double) (step - firstStep) / numRampSteps);
  }
}
