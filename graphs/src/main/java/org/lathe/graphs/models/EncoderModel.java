package org.lathe.graphs.models;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * An encoder with the head of a task: a {@link SequenceClassifier}, a {@link SpanHead} or a {@link
 * MaskedLanguageModelHead}. Names: {@code prefix encoder/...} and {@code prefix classifier/...},
 * {@code prefix span/...} or {@code prefix masked_lm/...}.
 */
public final class EncoderModel {
  private final Encoder encoder;
  private final @Nullable SequenceClassifier classifier;
  private final @Nullable SpanHead span;
  private final @Nullable MaskedLanguageModelHead maskedLm;

  /**
   * What one call gives.
   *
   * @param logits of a classifier one of (B, C); of a span head starts and ends, (B, T) each; of a
   *     masked-LM head one of (M, V), a row for each place that was asked for
   */
  public record Output(Encoder.Output encoded, List<Operand<TFloat32>> logits) {}

  /** Declares variables, trained. */
  public EncoderModel(VariableCatalog catalog, EncoderConfig config, HeadConfig head) {
    this(catalog, config, head, "", VariableGroup.MODEL);
  }

  /**
   * @param prefix before all names: "" for a model of ours, such as "teacher/" for a teacher
   * @param group MODEL for a model in training, TEACHER for a teacher
   */
  public EncoderModel(
      VariableCatalog catalog,
      EncoderConfig config,
      HeadConfig head,
      String prefix,
      VariableGroup group) {
    encoder = new Encoder(catalog, config, prefix + Encoder.PREFIX, group);
    String headPrefix = prefix + head.kind().prefix();
    classifier =
        head.kind().classifies()
            ? new SequenceClassifier(catalog, config, head, headPrefix, group)
            : null;
    span =
        head.kind() == HeadConfig.Kind.SPAN
            ? new SpanHead(catalog, config, headPrefix, group)
            : null;
    maskedLm =
        head.kind() == HeadConfig.Kind.MASKED_LM
            ? new MaskedLanguageModelHead(catalog, encoder, headPrefix, group)
            : null;
  }

  public EncoderConfig config() {
    return encoder.config();
  }

  /** See {@link Encoder#call}; for heads that answer for whole rows. */
  public Output call(
      Ops tf,
      Operand<TInt32> tokensBT,
      Operand<? extends TNumber> presentBT,
      @Nullable Operand<TInt32> typesBT,
      Gates gates,
      Dropout dropout) {
    return call(tf, tokensBT, presentBT, typesBT, null, gates, dropout);
  }

  /**
   * See {@link Encoder#call}.
   *
   * @param placesM among the B * T tokens, whose words a masked-LM head guesses: the logits of all
   *     would be V numbers a token; null for other heads
   */
  public Output call(
      Ops tf,
      Operand<TInt32> tokensBT,
      Operand<? extends TNumber> presentBT,
      @Nullable Operand<TInt32> typesBT,
      @Nullable Operand<TInt32> placesM,
      Gates gates,
      Dropout dropout) {
    Encoder.Output encoded = encoder.call(tf, tokensBT, presentBT, typesBT, gates, dropout);
    if (classifier != null) {
      return new Output(encoded, ImmutableList.of(classifier.call(tf, encoded, dropout)));
    }
    if (maskedLm != null) {
      Operand<TFloat32> chosenMD =
          tf.gather(
              encoded.sequenceND(),
              Objects.requireNonNull(placesM, "a masked-LM head needs places"),
              tf.constant(0));
      return new Output(encoded, ImmutableList.of(maskedLm.logits(tf, chosenMD, gates)));
    }
    SpanHead.Output both =
        Objects.requireNonNull(span, "a model has one head").call(tf, encoded, presentBT);
    return new Output(encoded, ImmutableList.of(both.startBT(), both.endBT()));
  }
}
