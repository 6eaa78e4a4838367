package org.lathe.training.pretrained;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.text.VocabularySelection;
import org.tensorflow.ndarray.Shape;

/**
 * A pretrained encoder, ready for a graph of ours.
 *
 * @param config of the encoder
 * @param weights of the encoder, under the names that it declares
 * @param maskedLm weights of its masked-LM head, null where the checkpoint has none
 * @param tokenizerJson definition of its tokenizer in the form of tokenizer.json, for {@link
 *     org.lathe.training.text.HfTokenizer}; null where none lay beside the checkpoint
 * @param notes sentences for a person: what was inferred, and from what
 */
public record PretrainedEncoder(
    EncoderConfig config,
    Weights weights,
    @Nullable Weights maskedLm,
    @Nullable String tokenizerJson,
    List<String> notes) {
  public PretrainedEncoder {
    notes = ImmutableList.copyOf(notes);
  }

  /**
   * The same encoder with these rows of its token table, and of its masked-LM head's bias. To text
   * of these tokens it answers the same.
   *
   * @param selection of the tokenizer's tokens
   */
  public PretrainedEncoder keeping(VocabularySelection selection) {
    int[] rows = selection.oldIds();
    return new PretrainedEncoder(
        config.withTransformer(config.transformer().withVocabularySize(rows.length)),
        rows(weights, Encoder.PREFIX + "/embedding/tokens", rows),
        maskedLm == null
            ? null
            : rows(maskedLm, HeadConfig.Kind.MASKED_LM.prefix() + "/bias", rows),
        selection.definition().json(),
        notes);
  }

  /** All arrays, of one of them these rows only. */
  private static Weights rows(Weights weights, String name, int[] rows) {
    Weights.Array array = weights.get(name);
    int width = Math.toIntExact(array.shape().size() / array.shape().get(0));
    float[] values = new float[rows.length * width];
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(array.values(), rows[row] * width, values, row * width, width);
    }
    boolean isVector = array.shape().numDimensions() == 1;
    return new Weights()
        .putAll(weights)
        .put(name, isVector ? Shape.of(rows.length) : Shape.of(rows.length, width), values);
  }
}
