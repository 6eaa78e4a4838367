package org.lathe.export.savedmodel;

import java.util.List;
import org.lathe.export.format.SignatureNames;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/** Checks of what clients feed, which fail a call with a sentence. */
final class InputGuards {
  private InputGuards() {}

  /**
   * int64 ids as int32: what lies below 0 becomes -1, what lies beyond the vocabulary its size, so
   * that an id beyond 32 bits does not wrap round into the vocabulary.
   */
  static Operand<TInt32> narrowed(Ops tf, Operand<TInt64> wideIds, int vocabularySize) {
    return tf.dtypes.cast(
        tf.math.minimum(
            tf.math.maximum(wideIds, tf.constant(-1L)), tf.constant((long) vocabularySize)),
        TInt32.class);
  }

  /** The nearest ids of the vocabulary. */
  static Operand<TInt32> clipped(Ops tf, Operand<TInt32> ids, int vocabularySize) {
    return tf.math.minimum(tf.math.maximum(ids, tf.constant(0)), tf.constant(vocabularySize - 1));
  }

  /** The ids (B, T), after a check that they are 1 to maxLength long. */
  static Operand<TInt32> requireLength(Ops tf, Operand<TInt32> idsBT, int maxLength) {
    Operand<TInt32> length = tf.gather(tf.shape(idsBT), tf.constant(1), tf.constant(0));
    Operand<TBool> inRange =
        tf.math.logicalAnd(
            tf.math.greater(length, tf.constant(0)),
            tf.math.lessEqual(length, tf.constant(maxLength)));
    return guarded(
        tf,
        inRange,
        SignatureNames.INPUT
            + ": rows must hold 1 to "
            + maxLength
            + " ids (padding included), found:",
        length,
        idsBT);
  }

  /**
   * The value, after a check.
   *
   * @param message and what was found, when the condition does not hold
   */
  static Operand<TInt32> guarded(
      Ops tf,
      Operand<TBool> condition,
      String message,
      Operand<TInt32> found,
      Operand<TInt32> value) {
    Op check = tf.assertThat(condition, List.of(tf.constant(message), found));
    return tf.withControlDependencies(check).identity(value);
  }
}
