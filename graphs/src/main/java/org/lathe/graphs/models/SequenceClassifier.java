package org.lathe.graphs.models;

import com.google.common.base.Preconditions;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * One row of class logits, or one number, a sequence. With h the last state of the first position:
 *
 * <pre>
 *   POOLED   drop(pooled) W + b                               BERT
 *   TANH     drop(tanh(drop(h) W_d + b_d)) W + b              RoBERTa
 *   RELU     drop(relu(h W_d + b_d)) W + b                    DistilBERT
 * </pre>
 *
 * No gate multiplies here: what is read is gated already. Names: {@code prefix/dense} where there
 * is one, {@code prefix/output}. Shape letters: B batch, D hidden, C classes.
 */
public final class SequenceClassifier {
  private final HeadConfig head;
  private final @Nullable Linear dense;
  private final Linear output;

  /** Declares variables under the kind's prefix, trained. */
  public SequenceClassifier(VariableCatalog catalog, EncoderConfig encoder, HeadConfig head) {
    this(catalog, encoder, head, head.kind().prefix(), VariableGroup.MODEL);
  }

  /**
   * @param encoder that is read; its pooler exists exactly where the head reads one
   * @param head of a kind that classifies
   * @param prefix of all variable names
   */
  public SequenceClassifier(
      VariableCatalog catalog,
      EncoderConfig encoder,
      HeadConfig head,
      String prefix,
      VariableGroup group) {
    Preconditions.checkArgument(
        head.kind().classifies(), "a head of kind %s is no classifier", head.kind());
    Preconditions.checkArgument(
        head.kind().hasDense() || encoder.hasPooler(),
        "a classifier of kind %s reads a pooler, which the encoder lacks",
        head.kind());
    this.head = head;
    dense =
        head.kind().hasDense()
            ? new Linear(
                catalog,
                prefix + "/dense",
                encoder.transformer().hiddenSize(),
                head.denseSize(),
                group)
            : null;
    int inputSize = dense == null ? encoder.poolerSize() : head.denseSize();
    output = new Linear(catalog, prefix + "/output", inputSize, head.numClasses(), group);
  }

  public HeadConfig config() {
    return head;
  }

  /** Logits (B, C); the predicted number where C is 1. */
  public Operand<TFloat32> call(Ops tf, Encoder.Output encoded, Dropout dropout) {
    return output.call(tf, dropout.call(tf, features(tf, encoded, dropout)));
  }

  private Operand<TFloat32> features(Ops tf, Encoder.Output encoded, Dropout dropout) {
    if (dense == null) {
      return Preconditions.checkNotNull(encoded.pooledBP(), "the encoder has a pooler");
    }
    return head.kind() == HeadConfig.Kind.TANH_CLASSIFIER
        ? tf.math.tanh(dense.call(tf, dropout.call(tf, encoded.firstBD())))
        : tf.nn.relu(dense.call(tf, encoded.firstBD()));
  }
}
