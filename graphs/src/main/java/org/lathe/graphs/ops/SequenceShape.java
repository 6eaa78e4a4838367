package org.lathe.graphs.ops;

import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TType;

/**
 * Batch size B and segment length T of one model call, known when the graph runs. Hidden states are
 * kept flat, (B*T, D), and take the longer shapes only where attention needs them.
 */
public record SequenceShape(Operand<TInt32> batchSize, Operand<TInt32> length) {

  /** Of token ids (B, T). */
  public static SequenceShape of(Ops tf, Operand<? extends TType> tokensBT) {
    Operand<TInt32> shape = tf.shape(tokensBT);
    return new SequenceShape(element(tf, shape, 0), element(tf, shape, 1));
  }

  /** (B*T, width) -> (B, T, width). */
  public <T extends TType> Operand<T> unflatten(Ops tf, Operand<T> x, int width) {
    return tf.reshape(x, tf.stack(List.of(batchSize, length, tf.constant(width))));
  }

  /** (B*T, width) -> (B, width): the rows of the first positions. */
  public <T extends TType> Operand<T> firstOfEach(Ops tf, Operand<T> x) {
    Operand<TInt32> rows = tf.math.mul(Masks.range(tf, batchSize), length);
    return tf.gather(x, rows, tf.constant(0));
  }

  private static Operand<TInt32> element(Ops tf, Operand<TInt32> vector, int index) {
    return tf.gather(vector, tf.constant(index), tf.constant(0));
  }
}
