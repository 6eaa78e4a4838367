package org.lathe.pruning.constraint;

import com.google.common.base.Preconditions;
import java.util.function.LongToDoubleFunction;

/**
 * The target over time of Zhu and Gupta (2017), equation 1 from 0: t(k) = end (1 - (1 - min(1, k /
 * K))^3) for k optimizer steps since the first, fast while much can still go and constant after K.
 * Before the first step it is 0.
 *
 * @param end the final target
 * @param firstStep optimizer step at which it begins to rise
 * @param numRampSteps K; 0 = the final target at once
 */
public record CubicRamp(double end, long firstStep, long numRampSteps)
    implements LongToDoubleFunction {
  public CubicRamp {
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
    if (step >= firstStep + numRampSteps) {
      return end;
    }
    double left = 1 - (double) (step - firstStep) / numRampSteps;
    return end * (1 - left * left * left);
  }
}
