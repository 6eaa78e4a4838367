package org.lathe.graphs.models;

import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.LayerNorm;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Activations;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * BERT's masked-LM head: a_w = E_w . LayerNorm(gelu(h W + b)) + c_w with the token table E; gelu
 * stands for the encoder's own activation. What it puts before the table is as wide as the hidden
 * size and shares its gate z, as every LayerNorm of the model does: LN_S(gelu(h W + b)) z, on a
 * table whose columns z multiplies. So slimming cuts both sides of the dense kernel.
 *
 * <p>It takes rows of any number, such as those of the masked positions only. Names: {@code
 * prefix/dense} (D, D), {@code prefix/norm} (D), {@code prefix/bias} (V).
 */
public final class MaskedLanguageModelHead implements VocabularyHead {
  private final Activation activation;
  private final Linear dense;
  private final LayerNorm norm;
  private final VocabularyHead table;

  /** Declares variables under the kind's prefix, trained. */
  public MaskedLanguageModelHead(VariableCatalog catalog, Encoder encoder) {
    this(catalog, encoder, HeadConfig.Kind.MASKED_LM.prefix(), VariableGroup.MODEL);
  }

  /**
   * @param encoder whose token table is the output's
   */
  public MaskedLanguageModelHead(
      VariableCatalog catalog, Encoder encoder, String prefix, VariableGroup group) {
    TransformerConfig config = encoder.config().transformer();
    int hiddenSize = config.hiddenSize();
    activation = config.activation();
    dense = new Linear(catalog, prefix + "/dense", hiddenSize, hiddenSize, group);
    norm = new LayerNorm(catalog, prefix + "/norm", hiddenSize, config.normEpsilon(), group);
    table =
        encoder.tiedHead(
            catalog.declare(
                prefix + "/bias", Shape.of(config.vocabularySize()), Initializer.zeros(), group));
  }

  @Override
  public Operand<TFloat32> logits(Ops tf, Operand<TFloat32> outputND, Gates gates) {
    return table.logits(tf, transformed(tf, outputND, gates), gates);
  }

  @Override
  public Target target(
      Ops tf, Operand<TFloat32> outputND, Operand<TInt32> targetsN, Gates gates, Dropout dropout) {
    Operand<TFloat32> readND = transformed(tf, dropout.call(tf, outputND), gates);
    return table.target(tf, readND, targetsN, gates, Dropout.NONE);
  }

  private Operand<TFloat32> transformed(Ops tf, Operand<TFloat32> outputND, Gates gates) {
    Operand<TFloat32> activeND = Activations.apply(tf, activation, dense.call(tf, outputND));
    return norm.call(tf, activeND, gates.hidden());
  }
}
