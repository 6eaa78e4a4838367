package org.lathe.graphs.objectives;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** The loss of extractive question answering (Devlin et al. 2019, section 4.2). */
public final class SpanLoss {
  private SpanLoss() {}

  /**
   * (start + end) / 2, each the mean cross-entropy over the rows whose position lies in the
   * sequence; 0 where none does. Shape letters: B batch, T length.
   *
   * @param startBT logits of starts
   * @param endBT logits of ends
   * @param startsB right positions; those outside [0, T), such as of an answer that was cut off,
   *     are left out
   */
  public static Operand<TFloat32> mean(
      Ops tf,
      Operand<TFloat32> startBT,
      Operand<TFloat32> endBT,
      Operand<TInt32> startsB,
      Operand<TInt32> endsB) {
    return tf.math.mul(
        tf.math.add(inside(tf, startBT, startsB), inside(tf, endBT, endsB)), tf.constant(0.5f));
  }

  private static Operand<TFloat32> inside(
      Ops tf, Operand<TFloat32> logitsBT, Operand<TInt32> positionsB) {
    Operand<TInt32> length = tf.gather(tf.shape(logitsBT), tf.constant(1), tf.constant(0));
    Operand<TBool> insideB =
        tf.math.logicalAnd(
            tf.math.greaterEqual(positionsB, tf.constant(0)), tf.math.less(positionsB, length));
    Operand<TFloat32> weightB = tf.dtypes.cast(insideB, TFloat32.class);
    Operand<TFloat32> sum =
        tf.reduceSum(
            tf.math.mul(ClassCrossEntropy.perRow(tf, logitsBT, positionsB), weightB),
            tf.constant(0));
    Operand<TFloat32> count = tf.reduceSum(weightB, tf.constant(0));
    return tf.math.div(sum, tf.math.maximum(count, tf.constant(1f)));
  }
}
