package org.lathe.graphs.layers;

import java.util.List;
import org.lathe.graphs.ops.SequenceShape;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** Between flat rows and heads. Shape letters: B batch, T length, N heads, H head size. */
final class Heads {
  private Heads() {}

  /** (B*T, N*H) -> (B, N, T, H). */
  static Operand<TFloat32> split(
      Ops tf, Operand<TFloat32> x, SequenceShape shape, int numHeads, int headSize) {
    Operand<TFloat32> splitBTNH =
        tf.reshape(
            x,
            tf.stack(
                List.of(
                    shape.batchSize(),
                    shape.length(),
                    tf.constant(numHeads),
                    tf.constant(headSize))));
    return tf.linalg.transpose(splitBTNH, tf.constant(new int[] {0, 2, 1, 3}));
  }

  /** (B, N, T, H) -> (B*T, N*H). */
  static Operand<TFloat32> merge(
      Ops tf, Operand<TFloat32> contextBNTH, int numHeads, int headSize) {
    return tf.reshape(
        tf.linalg.transpose(contextBNTH, tf.constant(new int[] {0, 2, 1, 3})),
        tf.constant(new int[] {-1, numHeads * headSize}));
  }
}
