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
    Operand<T> centered = tf.math.sub(x, mean);
    Operand<T> variance =
        tf.math.mean(tf.math.square(centered), tf.constant(-1), Mean.keepDims(true));
    return affine(tf, centered, variance, gain, bias, epsilon);
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
    Operand<TFloat32> mean =
        tf.math.div(
            tf.reduceSum(tf.math.mul(x, open), tf.constant(-1), ReduceSum.keepDims(true)), numOpen);
    Operand<TFloat32> centered = tf.math.mul(tf.math.sub(x, mean), open);
    Operand<TFloat32> variance =
        tf.math.div(
            tf.reduceSum(tf.math.square(centered), tf.constant(-1), ReduceSum.keepDims(true)),
            numOpen);
    return tf.math.mul(affine(tf, centered, variance, gain, bias, epsilon), open);
  }

  private static <T extends TNumber> Operand<T> affine(
      Ops tf,
      Operand<T> centered,
      Operand<T> variance,
      Operand<T> gain,
      Operand<T> bias,
      double epsilon) {
    Operand<T> scale = tf.math.rsqrt(tf.math.add(variance, Scalars.like(tf, variance, epsilon)));
    return tf.math.add(tf.math.mul(tf.math.mul(centered, scale), gain), bias);
  }
}
