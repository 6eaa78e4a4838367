package org.lathe.graphs.ops;

import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.ReduceSum;
import org.tensorflow.op.math.Mean;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.family.TNumber;

/** Normalization over the last axis. */
public final class Norms {
  private Norms() {}

  /**
   * LayerNorm over the last axis, (x - mean) / sqrt(variance + epsilon) * gain + bias, with the
   * biased variance (Ba et al. 2016).
   */
  public static <T extends TNumber> Operand<T> layerNorm(
      Ops tf, Operand<T> x, Operand<T> gain, Operand<T> bias, double epsilon) {
    Operand<T> mean = tf.math.mean(x, tf.constant(-1), Mean.keepDims(true));
    Operand<T> variance =
        tf.math.mean(squaredDeviation(tf, x, mean), tf.constant(-1), Mean.keepDims(true));
    return affine(tf, x, mean, variance, gain, bias, epsilon);
  }

  /**
   * LayerNorm over the entries whose gate is open, 0 elsewhere (CoFi: LN_S). With m = 1[gate > 0]:
   * n = sum m, mean = sum(x m) / n, variance = sum((x - mean)^2 m) / n. Equal to the LayerNorm of a
   * model from which the closed dimensions were sliced. No gradient flows through m.
   *
   * @param hiddenGate [D], or null for the plain LayerNorm
   */
  public static Operand<TFloat32> gatedLayerNorm(
      Ops tf,
      Operand<TFloat32> x,
      Operand<TFloat32> gain,
      Operand<TFloat32> bias,
      double epsilon,
      @Nullable Operand<TFloat32> hiddenGate) {
    if (hiddenGate == null) {
      return layerNorm(tf, x, gain, bias, epsilon);
    }
    Operand<TFloat32> open =
        tf.stopGradient(
            tf.dtypes.cast(tf.math.greater(hiddenGate, tf.constant(0f)), TFloat32.class));
    Operand<TFloat32> numOpen =
        tf.math.maximum(tf.reduceSum(open, tf.constant(0)), tf.constant(1f));
    Operand<TFloat32> mean = tf.math.div(openSum(tf, x, open), numOpen);
    Operand<TFloat32> variance =
        tf.math.div(openSum(tf, squaredDeviation(tf, x, mean), open), numOpen);
    return tf.math.mul(affine(tf, x, mean, variance, gain, bias, epsilon), open);
  }

  private static Operand<TFloat32> openSum(Ops tf, Operand<TFloat32> x, Operand<TFloat32> open) {
    return tf.reduceSum(tf.math.mul(x, open), tf.constant(-1), ReduceSum.keepDims(true));
  }

  /** The variance has no slope in the mean: the deviations that it would add up cancel. */
  private static <T extends TNumber> Operand<T> squaredDeviation(
      Ops tf, Operand<T> x, Operand<T> mean) {
    return tf.math.squaredDifference(x, tf.stopGradient(mean));
  }

  /**
   * x s + (bias - mean s) with s = gain / sqrt(variance + epsilon): the order of operations of
   * tf.nn.batch_normalization and so of the first BERT, whose states come out to the bit.
   */
  private static <T extends TNumber> Operand<T> affine(
      Ops tf,
      Operand<T> x,
      Operand<T> mean,
      Operand<T> variance,
      Operand<T> gain,
      Operand<T> bias,
      double epsilon) {
    Operand<T> inverseDeviation =
        tf.math.rsqrt(tf.math.add(variance, Scalars.like(tf, variance, epsilon)));
    Operand<T> scale = tf.math.mul(inverseDeviation, gain);
    return tf.math.add(tf.math.mul(x, scale), tf.math.sub(bias, tf.math.mul(mean, scale)));
  }
}
