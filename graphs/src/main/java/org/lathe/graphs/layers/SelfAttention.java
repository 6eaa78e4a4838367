package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.train.BatchMatMul;
import org.tensorflow.types.TFloat32;

/**
 * Multi-head scaled dot-product self-attention (Vaswani et al. 2017): names {@code name/query},
 * {@code key}, {@code value}, {@code output}.
 *
 * <p>Shape letters: B batch, T length, D hidden, N heads, H head size.
 */
public final class SelfAttention {
  private final Linear query;
  private final Linear key;
  private final Linear value;
  private final Linear output;
  private final int numHeads;
  private final int headSize;

  /**
   * @param output attended values (B*T, D)
   * @param scoresBNTT Q K^T / sqrt(H), before mask and softmax
   */
  public record Output(Operand<TFloat32> output, Operand<TFloat32> scoresBNTT) {}

  public SelfAttention(
      VariableCatalog catalog,
      String name,
      int hiddenSize,
      int numHeads,
      int headSize,
      VariableGroup group) {
    int contextSize = numHeads * headSize;
    this.query = new Linear(catalog, name + "/query", hiddenSize, contextSize, group);
    this.key = new Linear(catalog, name + "/key", hiddenSize, contextSize, group);
    this.value = new Linear(catalog, name + "/value", hiddenSize, contextSize, group);
    this.output = new Linear(catalog, name + "/output", contextSize, hiddenSize, group);
    this.numHeads = numHeads;
    this.headSize = headSize;
  }

  /**
   * (B*T, D) -> (B*T, D).
   *
   * @param mask additive, broadcast to (B, N, T, T)
   * @param headGate [N], or (B, N) for values of each example's own, or null: multiplies each
   *     head's context
   */
  public Output call(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      @Nullable Operand<TFloat32> headGate,
      Dropout dropout) {
    Output attended = attend(tf, x, shape, mask, headGate, dropout);
    return new Output(output.call(tf, attended.output()), attended.scoresBNTT());
  }

  /** (B*T, D) -> (B*T, N*H): what the output projection reads, head by head; see {@link #call}. */
  public Operand<TFloat32> context(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      @Nullable Operand<TFloat32> headGate,
      Dropout dropout) {
    return attend(tf, x, shape, mask, headGate, dropout).output();
  }

  /** The heads' contexts and the scores. */
  private Output attend(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      @Nullable Operand<TFloat32> headGate,
      Dropout dropout) {
    Operand<TFloat32> scaledQuery =
        tf.math.mul(query.call(tf, x), tf.constant((float) (1 / Math.sqrt(headSize))));
    Operand<TFloat32> queryBNTH = splitHeads(tf, scaledQuery, shape);
    Operand<TFloat32> keyBNTH = splitHeads(tf, key.call(tf, x), shape);
    Operand<TFloat32> valueBNTH = splitHeads(tf, value.call(tf, x), shape);

    Operand<TFloat32> scoresBNTT =
        tf.train.batchMatMul(queryBNTH, keyBNTH, TFloat32.class, BatchMatMul.adjY(true));
    Operand<TFloat32> probabilitiesBNTT =
        dropout.attention(tf, tf.nn.softmax(tf.math.add(scoresBNTT, mask)));
    Operand<TFloat32> contextBNTH =
        tf.train.batchMatMul(probabilitiesBNTT, valueBNTH, TFloat32.class);
    if (headGate != null) {
      contextBNTH =
          tf.math.mul(
              contextBNTH, tf.reshape(headGate, tf.constant(new int[] {-1, numHeads, 1, 1})));
    }
    return new Output(Heads.merge(tf, contextBNTH, numHeads, headSize), scoresBNTT);
  }

  /** (B*T, N*H) -> (B, N, T, H). */
  private Operand<TFloat32> splitHeads(Ops tf, Operand<TFloat32> x, SequenceShape shape) {
    return Heads.split(tf, x, shape, numHeads, headSize);
  }
}
