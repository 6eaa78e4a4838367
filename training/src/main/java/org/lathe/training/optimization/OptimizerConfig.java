package org.lathe.training.optimization;

import org.lathe.graphs.errors.ConfigException;

/**
 * An optimizer and its constants. The formulas are in the package's classes of the same names.
 *
 * @param learningRate peak rate; a {@link Schedule} multiplies it
 * @param beta1 decay of the first moment, in [0, 1) (ADAMW only)
 * @param beta2 decay of the second moment, in [0, 1) (ADAMW only)
 * @param epsilon added to the root of the second moment, positive (ADAMW only)
 * @param weightDecay decoupled: a step multiplies decayed variables by 1 - rate x weightDecay
 * @param momentum in [0, 1) (NAG only)
 */
public record OptimizerConfig(
    Kind kind,
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double momentum) {

  /** The update formula. */
  public enum Kind {
    /** Adam with decoupled weight decay. */
    ADAMW,
    /** Nesterov's accelerated gradient as in fairseq. */
    NAG
  }

  /**
   * @throws ConfigException for values that cannot be meant
   */
  public OptimizerConfig {
    requirePositive("learningRate", learningRate);
    requirePositive("epsilon", epsilon);
    requireBelowOne("beta1", beta1);
    requireBelowOne("beta2", beta2);
    requireBelowOne("momentum", momentum);
    if (!(weightDecay >= 0 && Double.isFinite(weightDecay))) {
      throw new ConfigException(
          "optimizer weightDecay is %s; give 0 or a positive number".formatted(weightDecay));
    }
  }

  /** AdamW with the betas and epsilon of its paper (0.9, 0.999, 1e-8) and no weight decay. */
  public static OptimizerConfig adamW(double learningRate) {
    return new OptimizerConfig(Kind.ADAMW, learningRate, 0.9, 0.999, 1e-8, 0, 0);
  }

  /** NAG without weight decay. */
  public static OptimizerConfig nag(double learningRate, double momentum) {
    return new OptimizerConfig(Kind.NAG, learningRate, 0.9, 0.999, 1e-8, 0, momentum);
  }

  public OptimizerConfig withWeightDecay(double value) {
    return new OptimizerConfig(kind, learningRate, beta1, beta2, epsilon, value, momentum);
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0 && Double.isFinite(value))) {
      throw new ConfigException(
          "optimizer %s is %s; give a positive number".formatted(name, value));
    }
  }

  private static void requireBelowOne(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new ConfigException(
          "optimizer %s is %s; give a number from 0 to below 1".formatted(name, value));
    }
  }
}
