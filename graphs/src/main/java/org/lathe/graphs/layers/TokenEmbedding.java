package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Token embedding from one table times a fixed factor: name {@code name/tokens} (V, D). */
public final class TokenEmbedding implements TokenVectors {
  private final Variable tokens;
  private final float scale;

  public TokenEmbedding(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    // with the factor sqrt(D) the embedded token has variance 1, and tied logits start small
    tokens = catalog.declare(name + "/tokens", tableShape(config), initializer(config), group);
    scale = (float) config.embeddingScale();
  }

  @Override
  public Operand<TFloat32> call(
      Ops tf, Operand<TInt32> tokensN, @Nullable Operand<TFloat32> hiddenGate) {
    Operand<TFloat32> rowsND =
        hiddenGate == null
            ? tokens.rows(tf, tokensN)
            : tf.gather(tf.math.mul(tokens.value(), hiddenGate), tokensN, tf.constant(0));
    return tf.math.mul(rowsND, tf.constant(scale));
  }

  /** Declares {@code name/kernel} (V, D) where the output is not tied. */
  @Override
  public VocabularyHead head(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    return config.tiedOutput()
        ? new FullSoftmax(tokens, true)
        : new FullSoftmax(
            catalog.declare(name + "/kernel", tableShape(config), initializer(config), group),
            false);
  }

  /** The output tied to this table, plus a bias of (V). */
  VocabularyHead tiedHead(Variable bias) {
    return new FullSoftmax(tokens, true, bias);
  }

  private static Shape tableShape(TransformerConfig config) {
    return Shape.of(config.vocabularySize(), config.hiddenSize());
  }

  private static Initializer initializer(TransformerConfig config) {
    return Initializer.truncatedNormal(1 / Math.sqrt(config.hiddenSize()));
  }
}
