package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Token ids to vectors, without positions: what a model of any kind reads. */
public interface TokenVectors {

  /** One table, or clusters where the configuration has an adaptive vocabulary. */
  static TokenVectors declare(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    return config.adaptive() == null
        ? new TokenEmbedding(catalog, name, config, group)
        : new AdaptiveEmbedding(catalog, name, config, config.adaptive(), group);
  }

  /** Token ids (N) -> (N, D), times the embedding factor. */
  Operand<TFloat32> call(Ops tf, Operand<TInt32> tokensN, @Nullable Operand<TFloat32> hiddenGate);

  /**
   * The output over the same words, tied to these vectors as the configuration says.
   *
   * @param name of variables that only the output has
   */
  VocabularyHead head(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group);
}
