package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.training.text.InputTokenizer;
import org.lathe.training.text.TokenizerDefinition;

class ExampleTokenizerTest {
  private static final TokenizerDefinition DEFINITION =
      TokenizerDefinition.fromVocabulary(
          List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c"), true);

  @Test
  void classesOfPairs() {
    Examples examples =
        new Examples(
            "x",
            TaskKind.CLASSIFICATION,
            LabelSet.of("u", "v"),
            List.of(new Example("0", "a", "b c", 1), new Example("1", "c c", "a", 0)),
            0);
    TokenRows rows = tokenize(examples);
    assertThat(rows.ids()).isDeepEqualTo(new int[][] {{2, 4, 3, 5, 6, 3}, {2, 6, 6, 3, 4, 3}});
    assertThat(rows.tokenTypes())
        .isDeepEqualTo(new int[][] {{0, 0, 0, 1, 1, 1}, {0, 0, 0, 0, 1, 1}});
    assertThat(rows.targets().classes()).containsExactly(1, 0);
    assertThat(rows.maxLength()).isEqualTo(7);
  }

  @Test
  void numbersAndUnknownLabels() {
    Example known = new Example("0", "a", null, 2.5);
    Example unknown = new Example("1", "a", null, Double.NaN);
    assertThat(
            tokenize(new Examples("x", TaskKind.REGRESSION, null, List.of(known), 0))
                .targets()
                .numbers())
        .containsExactly(2.5f);
    RowTargets targets =
        tokenize(new Examples("x", TaskKind.REGRESSION, null, List.of(known, unknown), 0))
            .targets();
    assertThat(targets).usingRecursiveComparison().isEqualTo(RowTargets.NONE);
  }

  private static TokenRows tokenize(Examples examples) {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(DEFINITION, 7)) {
      return ExampleTokenizer.tokenize(examples, tokenizer);
    }
  }
}
