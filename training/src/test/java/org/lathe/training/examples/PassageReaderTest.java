package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.text.InputTokenizer;
import org.lathe.training.text.TokenizerDefinition;

class PassageReaderTest {
  @TempDir Path directory;

  private TokenRows read(int maxLength, int maxRows, String... texts) throws IOException {
    TokenizerDefinition definition =
        TokenizerDefinition.fromVocabulary(
            List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c"), true);
    List<Path> files = new java.util.ArrayList<>();
    for (String text : texts) {
      files.add(Files.writeString(directory.resolve(files.size() + ".txt"), text));
    }
    try (InputTokenizer tokenizer =
        InputTokenizer.forTexts(definition, InputTokenizer.MAX_LENGTH)) {
      return PassageReader.read(LocalStorage.INSTANCE, files, tokenizer, maxLength, maxRows);
    }
  }

  @Test
  void linesOfADocumentFillRows() throws IOException {
    TokenRows rows = read(6, 0, "a b c\n\nb b\nc\n<|endoftext|>\na\n", "b\n");
    assertThat(rows.ids())
        .isDeepEqualTo(new int[][] {{2, 4, 5, 6, 5, 3}, {2, 5, 6, 3}, {2, 4, 3}, {2, 5, 3}});
    assertThat(rows.tokenTypes()[0]).containsOnly(0).hasSize(6);
    assertThat(rows.maxLength()).isEqualTo(6);
    assertThat(read(6, 2, "a b c\n\nb b\nc\n").size()).isEqualTo(2);
  }

  @Test
  void aLongLineGoesOn() throws IOException {
    assertThat(read(4, 0, "a b c a b").ids())
        .isDeepEqualTo(new int[][] {{2, 4, 5, 3}, {2, 6, 4, 3}, {2, 5, 3}});
  }

  /** 200,000 words and 100,000 characters without a space: more than a tokenizer takes at once. */
  @Test
  void nothingOfALineIsLost() throws IOException {
    TokenRows rows = read(1_002, 0, "a b ".repeat(100_000));
    assertThat(rows.ids()).hasNumberOfRows(200);
    for (int[] row : rows.ids()) {
      assertThat(row).hasSize(1_002);
      assertThat(row[1]).isEqualTo(4);
      assertThat(row[1_000]).isEqualTo(5);
    }
    assertThat(read(1_002, 0, "\uD83D\uDE00".repeat(50_000)).ids()[0])
        .containsExactly(2, 1, 1, 1, 1, 1, 1, 1, 3);
  }

  @Test
  void noTextIsAnError() {
    assertThatThrownBy(() -> read(4, 0, " \n<|endoftext|>\n"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("hold no text");
  }
}
