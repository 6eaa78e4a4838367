package org.lathe.training.pretrained;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.weights.Weights;

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
}
