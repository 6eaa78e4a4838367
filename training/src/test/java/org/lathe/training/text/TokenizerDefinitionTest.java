package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class TokenizerDefinitionTest {
  private static final String LINES = "[PAD]\n[unused0]\n[UNK]\n[CLS]\n[SEP]\nBe\r\nbe\nx\n";

  @TempDir Path directory;

  @Test
  void vocabularyFilesAndTheirCase() throws Exception {
    Files.writeString(directory.resolve("vocab.txt"), LINES);
    TokenizerDefinition uncased = read();
    assertThat(uncased.vocabularySize()).isEqualTo(8);
    assertThat(uncased.padId()).isEqualTo(0);
    assertThat(uncased.tokenId("be")).hasValue(6);
    assertThat(uncased.tokenId("[SEP]")).hasValue(4);
    assertThat(uncased.tokenId("[MASK]")).isEmpty();
    assertThat(ids(uncased, "Be x")).containsExactly(3, 6, 7, 4);

    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"do_lower_case\": false}");
    TokenizerDefinition cased = read();
    assertThat(ids(cased, "Be x")).containsExactly(3, 5, 7, 4);
  }

  @Test
  void tokenizerJsonIsPreferred() throws Exception {
    Files.writeString(directory.resolve("vocab.txt"), "nonsense");
    String json =
        TokenizerDefinition.fromVocabulary(List.of("[SEP]", "[CLS]", "[UNK]", "[PAD]"), true)
            .json();
    Files.writeString(directory.resolve("tokenizer.json"), json);
    assertThat(read().json()).isEqualTo(json);
    assertThat(read().padId()).isEqualTo(3);
  }

  @Test
  void errorsSayWhatIsMissing() throws Exception {
    assertThatThrownBy(this::read)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("neither tokenizer.json nor vocab.txt");
    assertFails(LINES.replace("[UNK]", "[unk]"), "no token [UNK]");
    assertFails(LINES.replace("Be\r\n", "be\n"), "line 7 of vocab.txt has the token \"be\"");
    assertFails(LINES.replace("Be\r\n", "\n"), "line 6 of vocab.txt has the token \"\"");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{");
    assertFails(LINES, "is not JSON");
    Files.writeString(directory.resolve("tokenizer.json"), "{}");
    assertThatThrownBy(this::read).hasMessageContaining("no vocabulary");
  }

  private void assertFails(String lines, String message) throws Exception {
    Files.writeString(directory.resolve("vocab.txt"), lines);
    assertThatThrownBy(this::read)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(message);
  }

  private TokenizerDefinition read() {
    return TokenizerDefinition.read(LocalStorage.INSTANCE, directory);
  }

  private static int[] ids(TokenizerDefinition definition, String text) {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(definition, 12)) {
      return tokenizer.encode(text, null).ids();
    }
  }
}
