package org.lathe.training.optimization;

import org.lathe.graphs.errors.ConfigException;

/**
 * How a learning rate changes over the steps of a run; {@link Schedule} has the formulas.
 *
 * @param warmupSteps steps of linear increase; 0 = none (INVERSE_SQUARE_ROOT needs at least 1)
 * @param totalSteps the step at which LINEAR and COSINE reach the minimum; the other kinds do not
 *     read it
 * @param minimumRatio least factor after warm-up, as a share of the peak rate, in [0, 1]; CONSTANT
 *     does not read it
 */
public record ScheduleConfig(Kind kind, long warmupSteps, long totalSteps, double minimumRatio) {

  /** The curve after warm-up. */
  public enum Kind {
    CONSTANT,
    LINEAR,
    COSINE,
    INVERSE_SQUARE_ROOT
  }

  /**
   * @throws ConfigException for values that cannot be meant
   */
  public ScheduleConfig {
    if (warmupSteps < 0) {
      throw new ConfigException(
          "schedule warmupSteps is %d; give 0 or more steps".formatted(warmupSteps));
    }
    if (!(minimumRatio >= 0 && minimumRatio <= 1)) {
      throw new ConfigException(
          "schedule minimumRatio is %s; give a share of the peak rate from 0 to 1"
              .formatted(minimumRatio));
    }
    boolean ends = kind == Kind.LINEAR || kind == Kind.COSINE;
    if (ends && totalSteps <= warmupSteps) {
      throw new ConfigException(
          "schedule %s has totalSteps %d and warmupSteps %d; totalSteps must be the larger"
              .formatted(kind, totalSteps, warmupSteps));
    }
    if (kind == Kind.INVERSE_SQUARE_ROOT && warmupSteps == 0) {
      throw new ConfigException(
          "schedule INVERSE_SQUARE_ROOT has warmupSteps 0; give at least 1,"
              + " the step at which the peak rate is reached");
    }
  }

  /** The peak rate at every step. */
  public static ScheduleConfig constant() {
    return new ScheduleConfig(Kind.CONSTANT, 0, 0, 0);
  }
}
