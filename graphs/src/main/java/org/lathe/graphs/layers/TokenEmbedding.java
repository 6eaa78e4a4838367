package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.Positions;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Token embedding times a fixed factor plus absolute positions: names {@code name/tokens} (V, D)
 * and {@code name/positions} (maxPositions, D). Sinusoidal positions are a variable too, never
 * trained, so that slimming can slice them.
 */
public final class TokenEmbedding {
  private final Variable tokens;
  private final Variable positions;
  private final float scale;

  public TokenEmbedding(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    int hiddenSize = config.hiddenSize();
    // with the factor sqrt(D) the embedded token has variance 1, and tied logits start small
    tokens =
        catalog.declare(
            name + "/tokens",
            Shape.of(config.vocabularySize(), hiddenSize),
            Initializer.truncatedNormal(1 / Math.sqrt(hiddenSize)),
            group);
    boolean learned = config.positions() == PositionEncoding.LEARNED;
    positions =
        catalog.declare(
            name + "/positions",
            Shape.of(config.maxPositions(), hiddenSize),
            learned
                ? Initializer.truncatedNormal(0.02)
                : Initializer.values(Positions.sinusoidal(config.maxPositions(), hiddenSize)),
            learned || group == VariableGroup.TEACHER ? group : VariableGroup.FROZEN);
    scale = (float) config.embeddingScale();
  }

  /** The token table (V, D), its columns multiplied by the hidden gate. */
  public Operand<TFloat32> table(Ops tf, @Nullable Operand<TFloat32> hiddenGate) {
    return gated(tf, tokens.read(), hiddenGate);
  }

  /** Token ids (B, T) -> (B*T, D). */
  public Operand<TFloat32> call(
      Ops tf,
      Operand<TInt32> tokensBT,
      SequenceShape shape,
      @Nullable Operand<TFloat32> hiddenGate) {
    Operand<TInt32> flatIds = tf.reshape(tokensBT, tf.constant(new int[] {-1}));
    Operand<TFloat32> embedded =
        tf.math.mul(tf.gather(table(tf, hiddenGate), flatIds, tf.constant(0)), tf.constant(scale));
    Operand<TInt32> index = Masks.range(tf, shape.length());
    Operand<TFloat32> positionsTD =
        tf.gather(gated(tf, positions.read(), hiddenGate), index, tf.constant(0));
    int hiddenSize = (int) tokens.shape().get(1);
    Operand<TFloat32> sum = tf.math.add(shape.unflatten(tf, embedded, hiddenSize), positionsTD);
    return tf.reshape(sum, tf.constant(new int[] {-1, hiddenSize}));
  }

  private static Operand<TFloat32> gated(
      Ops tf, Operand<TFloat32> table, @Nullable Operand<TFloat32> hiddenGate) {
    return hiddenGate == null ? table : tf.math.mul(table, hiddenGate);
  }
}
