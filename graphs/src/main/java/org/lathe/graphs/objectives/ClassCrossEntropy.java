package org.lathe.graphs.objectives;

import org.lathe.graphs.ops.LogSumExp;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Cross-entropy of one right class among few, in nats. Composed from logSumExp and a one-hot sum,
 * since TensorFlow's sparse softmax cross-entropy has no gradient here.
 */
public final class ClassCrossEntropy {
  private ClassCrossEntropy() {}

  /**
   * -ln softmax(a)_y: (N, C), (N) -> (N).
   *
   * @param labelsN y; one outside [0, C) gives ln sum_c exp(a_c), so mask it
   */
  public static Operand<TFloat32> perRow(
      Ops tf, Operand<TFloat32> logitsNC, Operand<TInt32> labelsN) {
    Operand<TInt32> numClasses = tf.gather(tf.shape(logitsNC), tf.constant(1), tf.constant(0));
    Operand<TFloat32> rightNC = tf.oneHot(labelsN, numClasses, tf.constant(1f), tf.constant(0f));
    Operand<TFloat32> rightN = tf.reduceSum(tf.math.mul(logitsNC, rightNC), tf.constant(-1));
    return TokenCrossEntropy.perPosition(tf, LogSumExp.lastAxis(tf, logitsNC), rightN);
  }

  /** The mean over the rows, a scalar. */
  public static Operand<TFloat32> mean(
      Ops tf, Operand<TFloat32> logitsNC, Operand<TInt32> labelsN) {
    return tf.math.mean(perRow(tf, logitsNC, labelsN), tf.constant(0));
  }
}
