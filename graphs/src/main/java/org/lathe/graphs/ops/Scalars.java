package org.lathe.graphs.ops;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.family.TNumber;

/** Constants of the type of another operand, so that formulas run in float32 and float64 alike. */
public final class Scalars {
  private Scalars() {}

  public static <T extends TNumber> Operand<T> like(Ops tf, Operand<T> other, double value) {
    return tf.dtypes.cast(tf.constant(value), other.type());
  }
}
