package org.lathe.graphs.objectives;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.family.TNumber;

/** Cross-entropy of one target a position, from logSumExp (see {@code ops.LogSumExp}). */
public final class TokenCrossEntropy {
  private TokenCrossEntropy() {}

  /**
   * -ln softmax(a)_y = ln sum_w exp(a_w) - a_y, in nats: (N), (N) -> (N).
   *
   * @param vocabularyMassN ln sum_w exp(a_w)
   * @param targetLogitsN a_y
   */
  public static <T extends TNumber> Operand<T> perPosition(
      Ops tf, Operand<T> vocabularyMassN, Operand<T> targetLogitsN) {
    return tf.math.sub(vocabularyMassN, targetLogitsN);
  }
}
