package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class TokenizerDefinitionTest {
  private static final List<String> LINES =
      List.of("[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "Be\r", "be", "x");

  @TempDir Path directory;

  @Test
  void vocabulariesAndTheirCase() {
    TokenizerDefinition uncased = TokenizerDefinition.fromVocabulary(LINES, true);
    assertThat(uncased.vocabularySize()).isEqualTo(8);
    assertThat(uncased.padId()).isEqualTo(0);
    assertThat(uncased.tokenId("be")).hasValue(6);
    assertThat(uncased.tokenId("[SEP]")).hasValue(4);
    assertThat(uncased.tokenId("[MASK]")).isEmpty();
    assertThat(ids(uncased, "Be x")).containsExactly(3, 6, 7, 4);
    TokenizerDefinition cased = TokenizerDefinition.fromVocabulary(LINES, false);
    assertThat(ids(cased, "Be x")).containsExactly(3, 5, 7, 4);
  }

  @Test
  void aFileIsTakenAsItIs() throws Exception {
    String json =
        TokenizerDefinition.fromVocabulary(List.of("[SEP]", "[CLS]", "[UNK]", "[PAD]"), true)
            .json();
    Path file = Files.writeString(directory.resolve("tokenizer.json"), json);
    TokenizerDefinition read = TokenizerDefinition.read(LocalStorage.INSTANCE, file);
    assertThat(read.json()).isEqualTo(json);
    assertThat(read.padId()).isEqualTo(3);
    Files.writeString(file, "{}");
    assertThatThrownBy(() -> TokenizerDefinition.read(LocalStorage.INSTANCE, file))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("no vocabulary");
  }

  @Test
  void errorsSayWhatIsMissing() {
    assertFails(2, "[unk]", "no token [UNK]");
    assertFails(5, "x", "line 8 of vocab.txt has the token \"x\"");
    assertFails(5, "", "line 6 of vocab.txt has the token \"\"");
  }

  private static void assertFails(int line, String token, String message) {
    List<String> lines = new ArrayList<>(LINES);
    lines.set(line, token);
    assertThatThrownBy(() -> TokenizerDefinition.fromVocabulary(lines, true))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(message);
  }

  private static int[] ids(TokenizerDefinition definition, String text) {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(definition, 12)) {
      return tokenizer.encode(text, null).ids();
    }
  }
}
