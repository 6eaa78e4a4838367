package org.lathe.graphs.ops;

import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.ReduceMax;
import org.tensorflow.op.core.ReduceSum;
import org.tensorflow.op.core.Squeeze;
import org.tensorflow.types.family.TNumber;

/**
 * Logarithms of sums of exponentials, composed so that TensorFlow's C++ gradients are right at
 * every rank (its LogSoftmax gradient is wrong above rank 2).
 */
public final class LogSumExp {
  private LogSumExp() {}

  /** ln sum exp(x) over the last axis: (..., V) -> (...). Each row needs one finite value. */
  public static <T extends TNumber> Operand<T> lastAxis(Ops tf, Operand<T> x) {
    Operand<T> keptMax =
        tf.stopGradient(tf.reduceMax(x, tf.constant(-1), ReduceMax.keepDims(true)));
    Operand<T> sum =
        tf.reduceSum(
            tf.math.exp(tf.math.sub(x, keptMax)), tf.constant(-1), ReduceSum.keepDims(true));
    return tf.squeeze(tf.math.add(keptMax, tf.math.log(sum)), Squeeze.axis(List.of(-1L)));
  }

  /** x - ln sum exp(x) over the last axis; same shape as x. */
  public static <T extends TNumber> Operand<T> logSoftmax(Ops tf, Operand<T> x) {
    return tf.math.sub(x, tf.expandDims(lastAxis(tf, x), tf.constant(-1)));
  }

  /**
   * ln(exp(moderate) + exp(other)), elementwise. The first argument must be of moderate size: where
   * {@code other} is about -10000 (an empty memory) the result is {@code moderate} to the last bit.
   */
  public static <T extends TNumber> Operand<T> add(Ops tf, Operand<T> moderate, Operand<T> other) {
    return tf.math.add(moderate, tf.math.softplus(tf.math.sub(other, moderate)));
  }
}
