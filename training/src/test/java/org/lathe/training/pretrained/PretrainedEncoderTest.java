package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.text.TokenizerDefinition;
import org.lathe.training.text.VocabularySelection;
import org.tensorflow.ndarray.Shape;

class PretrainedEncoderTest {
  private static final List<String> TOKENS =
      List.of("[PAD]", "spare", "[UNK]", "[CLS]", "[SEP]", "gone", "word");

  /** Tokens 0, 2, 3, 4 and 6 stay, and nothing but what has one row for each of them changes. */
  @Test
  void keptTokensKeepTheirRows() {
    float[] table = new float[TOKENS.size() * 2];
    float[] bias = new float[TOKENS.size()];
    for (int id = 0; id < TOKENS.size(); id++) {
      table[2 * id] = id;
      table[2 * id + 1] = id + 0.5f;
      bias[id] = 10 + id;
    }
    float[] other = {1, 2};
    PretrainedEncoder whole =
        new PretrainedEncoder(
            EncoderConfig.bert(TOKENS.size(), 2, 1, 1, 2, 8),
            new Weights()
                .put("encoder/embedding/tokens", Shape.of(TOKENS.size(), 2), table)
                .put("encoder/embedding/norm/bias", Shape.of(2), other),
            new Weights()
                .put("masked_lm/dense/bias", Shape.of(2), other)
                .put("masked_lm/bias", Shape.of(TOKENS.size()), bias),
            TokenizerDefinition.fromVocabulary(TOKENS, true).json(),
            List.of());
    BitSet wanted = new BitSet();
    wanted.set(6);
    VocabularySelection selection =
        VocabularySelection.of(TokenizerDefinition.fromVocabulary(TOKENS, true), wanted);

    PretrainedEncoder kept = whole.keeping(selection);

    assertThat(kept.config().transformer().vocabularySize()).isEqualTo(5);
    Weights.Array rows = kept.weights().get("encoder/embedding/tokens");
    assertThat(rows.shape()).isEqualTo(Shape.of(5, 2));
    assertThat(rows.values()).containsExactly(0, 0.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f, 6, 6.5f);
    assertThat(kept.weights().get("encoder/embedding/norm/bias").values()).isEqualTo(other);
    assertThat(kept.maskedLm().get("masked_lm/bias").shape()).isEqualTo(Shape.of(5));
    assertThat(kept.maskedLm().get("masked_lm/bias").values()).containsExactly(10, 12, 13, 14, 16);
    assertThat(kept.maskedLm().get("masked_lm/dense/bias").values()).isEqualTo(other);
    assertThat(kept.tokenizerJson()).isEqualTo(selection.definition().json());
    assertThat(whole.weights().get("encoder/embedding/tokens").values()).hasSize(table.length);
  }
}
