package org.lathe.pruning.gates;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The hard-concrete distribution (Louizos et al. 2018, with the constants of CoFi): a stretched and
 * clipped sigmoid of logistic noise, so that a gate is exactly 0 or exactly 1 with positive
 * probability and still has a gradient in between. Each function exists in plain Java for
 * evaluation and tests, and as graph ops for training.
 */
public final class HardConcrete {
  /** a and b: the sigmoid is stretched from (0, 1) to (a, b) before it is clipped. */
  public static final double STRETCH_LOW = -0.1;

  public static final double STRETCH_HIGH = 1.1;

  /** T: smaller is closer to a coin flip. */
  public static final double TEMPERATURE = 2.0 / 3;

  /** Uniform numbers are kept this far from 0 and 1, where the logit is infinite. */
  public static final double UNIFORM_CLIP = 1e-6;

  /** Factor on logAlpha / T in the deterministic value (FLOP and CoFi). */
  public static final double SHARPENING = 0.8;

  /**
   * Default bound of |logAlpha|. A gate at -7 is open with probability 0.0045 only, so that high
   * targets can be met, and still gets samples with a gradient, so that it can reopen.
   */
  public static final double LOG_ALPHA_LIMIT = 7;

  /**
   * CoFi's bound, ln 100: a closed gate keeps probability 0.047, and 1 of 12 heads or 145 of 3072
   * units can never be removed.
   */
  public static final double LOG_ALPHA_LIMIT_OF_PAPER = Math.log(100);

  /** -T ln(-a / b) = 1.598597: P(z > 0) = sigmoid(logAlpha + this). */
  private static final double OPENING_SHIFT = -TEMPERATURE * Math.log(-STRETCH_LOW / STRETCH_HIGH);

  private HardConcrete() {}

  /**
   * z = min(1, max(0, a + (b - a) y)) with y = sigmoid((ln u - ln(1 - u) + logAlpha) / T). Example:
   * u = 0.3, logAlpha = 1 gives 0.568417.
   *
   * @param u uniform in (0, 1); clipped to [1e-6, 1 - 1e-6]
   */
  public static double sample(double u, double logAlpha) {
    double clipped = Math.min(1 - UNIFORM_CLIP, Math.max(UNIFORM_CLIP, u));
    double noise = Math.log(clipped) - Math.log1p(-clipped);
    double stretched =
        STRETCH_LOW + (STRETCH_HIGH - STRETCH_LOW) * sigmoid((noise + logAlpha) / TEMPERATURE);
    return Math.min(1, Math.max(0, stretched));
  }

  /** P(z > 0) = sigmoid(logAlpha - T ln(-a / b)). Example: logAlpha = 0 gives 0.831822. */
  public static double openProbability(double logAlpha) {
    return sigmoid(logAlpha + OPENING_SHIFT);
  }

  /** sigmoid(0.8 logAlpha / T) = sigmoid(1.2 logAlpha): the value of a kept gate. */
  public static double deterministicValue(double logAlpha) {
    return sigmoid(logAlpha / TEMPERATURE * SHARPENING);
  }

  /** {@link #sample(double, double)} as ops, elementwise. */
  public static Operand<TFloat32> sample(
      Ops tf, Operand<TFloat32> uniform, Operand<TFloat32> logAlpha) {
    Operand<TFloat32> one = tf.constant(1f);
    Operand<TFloat32> clipped =
        tf.clipByValue(
            uniform, tf.constant((float) UNIFORM_CLIP), tf.constant((float) (1 - UNIFORM_CLIP)));
    Operand<TFloat32> noise =
        tf.math.sub(tf.math.log(clipped), tf.math.log(tf.math.sub(one, clipped)));
    Operand<TFloat32> y =
        tf.math.sigmoid(
            tf.math.mul(tf.math.add(noise, logAlpha), tf.constant((float) (1 / TEMPERATURE))));
    Operand<TFloat32> stretched =
        tf.math.add(
            tf.math.mul(y, tf.constant((float) (STRETCH_HIGH - STRETCH_LOW))),
            tf.constant((float) STRETCH_LOW));
    return tf.clipByValue(stretched, tf.constant(0f), one);
  }

  /** {@link #openProbability(double)} as ops, elementwise. */
  public static Operand<TFloat32> openProbability(Ops tf, Operand<TFloat32> logAlpha) {
    return tf.math.sigmoid(tf.math.add(logAlpha, tf.constant((float) OPENING_SHIFT)));
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
