package org.lathe.graphs.objectives;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** The loss of regression. */
public final class MeanSquaredError {
  private MeanSquaredError() {}

  /**
   * mean (x - y)^2, a scalar.
   *
   * @param predictions one number a row, (N) or (N, 1)
   * @param targetsN (N)
   */
  public static Operand<TFloat32> mean(
      Ops tf, Operand<TFloat32> predictions, Operand<TFloat32> targetsN) {
    // (N, 1) - (N) would be (N, N)
    Operand<TFloat32> flatN = tf.reshape(predictions, tf.constant(new int[] {-1}));
    return tf.math.mean(tf.math.square(tf.math.sub(flatN, targetsN)), tf.constant(0));
  }
}
