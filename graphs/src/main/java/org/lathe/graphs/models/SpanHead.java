package org.lathe.graphs.models;

import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.family.TNumber;

/**
 * Where an answer starts and ends (Devlin et al. 2019, section 4.2): h W + b with W (D, 2), column
 * 0 the start. Name {@code prefix/output}. Shape letters: B batch, T length, D hidden.
 */
public final class SpanHead {
  private final Linear output;

  /** Logits (B, T) each; {@link Masks#HIDDEN} is added where there is no token. */
  public record Output(Operand<TFloat32> startBT, Operand<TFloat32> endBT) {}

  /** Declares variables under the kind's prefix, trained. */
  public SpanHead(VariableCatalog catalog, EncoderConfig encoder) {
    this(catalog, encoder, HeadConfig.Kind.SPAN.prefix(), VariableGroup.MODEL);
  }

  public SpanHead(
      VariableCatalog catalog, EncoderConfig encoder, String prefix, VariableGroup group) {
    output = new Linear(catalog, prefix + "/output", encoder.transformer().hiddenSize(), 2, group);
  }

  /**
   * @param presentBT 1 where there is a token, 0 where a shorter sequence is padded: the padding of
   *     a batch has no part in the probabilities
   */
  public Output call(Ops tf, Encoder.Output encoded, Operand<? extends TNumber> presentBT) {
    Operand<TFloat32> bothN2 = output.call(tf, encoded.sequenceND());
    Operand<TFloat32> bothBT2 = encoded.shape().unflatten(tf, bothN2, 2);
    Operand<TFloat32> maskBT = Masks.present(tf, presentBT);
    return new Output(
        tf.math.add(column(tf, bothBT2, 0), maskBT), tf.math.add(column(tf, bothBT2, 1), maskBT));
  }

  private static Operand<TFloat32> column(Ops tf, Operand<TFloat32> bothBT2, int index) {
    return tf.gather(bothBT2, tf.constant(index), tf.constant(2));
  }
}
