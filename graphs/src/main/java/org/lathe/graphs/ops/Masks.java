package org.lathe.graphs.ops;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/** Additive masks: 0 where something may be seen, {@link #HIDDEN} where not. */
public final class Masks {
  /** Large enough to vanish under exp, small enough for float16 (TRIME, CoFi and BERT use it). */
  public static final double HIDDEN = -10_000;

  private Masks() {}

  /** 0 where visible, HIDDEN elsewhere; same shape. */
  public static <T extends TNumber> Operand<T> additive(
      Ops tf, Operand<TBool> visible, Class<T> type) {
    Operand<T> seen = tf.dtypes.cast(visible, type);
    return tf.math.mul(
        tf.math.sub(Scalars.like(tf, seen, 1), seen), Scalars.like(tf, seen, HIDDEN));
  }

  /** (T, T): position t attends to j at most t. */
  public static Operand<TFloat32> causal(Ops tf, Operand<TInt32> length) {
    Operand<TInt32> index = range(tf, length);
    return additive(
        tf,
        tf.math.lessEqual(
            tf.expandDims(index, tf.constant(0)), tf.expandDims(index, tf.constant(1))),
        TFloat32.class);
  }

  /** (B, T) of 1 and 0 -> (B, 1, 1, T): no position attends to one that is 0. */
  public static Operand<TFloat32> padding(Ops tf, Operand<? extends TNumber> presentBT) {
    Operand<TFloat32> presentB1T = tf.expandDims(present(tf, presentBT), tf.constant(1));
    return tf.expandDims(presentB1T, tf.constant(1));
  }

  /** (B, T) of 1 and 0 -> additive of the same shape. */
  public static Operand<TFloat32> present(Ops tf, Operand<? extends TNumber> presentBT) {
    return additive(
        tf,
        tf.math.greater(tf.dtypes.cast(presentBT, TFloat32.class), tf.constant(0f)),
        TFloat32.class);
  }

  /** 0, 1, ..., length - 1. */
  public static Operand<TInt32> range(Ops tf, Operand<TInt32> length) {
    return tf.range(tf.constant(0), length, tf.constant(1));
  }
}
