package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class WordPieceDefinitionTest {

  /** What tokenizer_config.json leaves out has defaults that override the normalizer. */
  @Test
  void settingsSayAllThatTheNormalizerDoes() {
    assertThat(
            WordPieceDefinition.settings(
                """
                {"normalizer": {"lowercase": true, "strip_accents": false,
                                "handle_chinese_chars": false}}"""))
        .isEqualTo(
            Map.of(
                "tokenizer_class",
                "BertTokenizer",
                "do_lower_case",
                true,
                "strip_accents",
                false,
                "tokenize_chinese_chars",
                false));
    assertThat(WordPieceDefinition.settings("{\"normalizer\": {\"strip_accents\": null}}"))
        .containsEntry("tokenize_chinese_chars", true)
        .doesNotContainKey("strip_accents");
  }
}
