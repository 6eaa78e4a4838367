package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Dropout;
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
 * BERT's embeddings: LayerNorm(token + token type + position), added in this order. With a hidden
 * gate z, as CoFi has it: x = LN_S((token + type + position) z) z. Names {@code name/tokens} (V,
 * D), {@code name/positions} (maxPositions, D), {@code name/token_types} where there are any,
 * {@code name/norm}.
 */
public final class EncoderEmbedding {
  private final TokenEmbedding tokens;
  private final AbsolutePositions positions;
  private final @Nullable Variable tokenTypes;
  private final LayerNorm norm;

  public EncoderEmbedding(
      VariableCatalog catalog, String name, EncoderConfig config, VariableGroup group) {
    TransformerConfig transformer = config.transformer();
    int hiddenSize = transformer.hiddenSize();
    tokens = new TokenEmbedding(catalog, name, transformer, group);
    positions = new AbsolutePositions(catalog, name, transformer, config.positionOffset(), group);
    tokenTypes =
        config.numTokenTypes() == 0
            ? null
            : catalog.declare(
                name + "/token_types",
                Shape.of(config.numTokenTypes(), hiddenSize),
                Initializer.truncatedNormal(0.02),
                group);
    norm = new LayerNorm(catalog, name + "/norm", hiddenSize, transformer.normEpsilon(), group);
  }

  /**
   * Token ids (B, T) -> (B*T, D).
   *
   * @param typesBT token types, or null for type 0 everywhere; an encoder with fewer than two types
   *     does not look at them
   * @param hiddenGate [D] or null
   */
  public Operand<TFloat32> call(
      Ops tf,
      Operand<TInt32> tokensBT,
      @Nullable Operand<TInt32> typesBT,
      SequenceShape shape,
      @Nullable Operand<TFloat32> hiddenGate,
      Dropout dropout) {
    Operand<TFloat32> sumND = tokens.call(tf, flat(tf, tokensBT), hiddenGate);
    if (tokenTypes != null) {
      Operand<TInt32> rows =
          typesBT != null && tokenTypes.shape().get(0) > 1
              ? flat(tf, typesBT)
              : tf.constant(new int[] {0});
      Operand<TFloat32> typeND = tokenTypes.rows(tf, rows);
      sumND = tf.math.add(sumND, hiddenGate == null ? typeND : tf.math.mul(typeND, hiddenGate));
    }
    sumND = positions.add(tf, sumND, shape, hiddenGate);
    return dropout.call(tf, norm.call(tf, sumND, hiddenGate));
  }

  /** The output over the token table, a_w = E_w . f + b_w, with a bias of (V). */
  public VocabularyHead tiedHead(Variable bias) {
    return tokens.tiedHead(bias);
  }

  private static Operand<TInt32> flat(Ops tf, Operand<TInt32> xBT) {
    return tf.reshape(xBT, tf.constant(new int[] {-1}));
  }
}
