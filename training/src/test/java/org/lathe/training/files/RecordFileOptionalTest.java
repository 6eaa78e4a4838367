package org.lathe.training.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.CorruptFileException;

/** Components that came later may be absent; all others may not. */
class RecordFileOptionalTest {
  private static final RecordFile<TransformerConfig> FILE =
      new RecordFile<>("model", 1, TransformerConfig.class);
  private static final TransformerConfig PLAIN = TransformerConfig.uniform(9, 8, 1, 2, 8, 4);

  private static final Storage STORAGE = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @Test
  void absentVocabularyIsNotWrittenAndReads() throws IOException {
    Path file = directory.resolve("plain.json");
    FILE.write(STORAGE, file, PLAIN);
    assertThat(Files.readString(file)).doesNotContain("adaptive").contains("vocabularySize");
    assertThat(FILE.read(STORAGE, file)).isEqualTo(PLAIN);
  }

  @Test
  void adaptiveVocabularyComesBack() throws IOException {
    Path file = directory.resolve("adaptive.json");
    TransformerConfig config =
        PLAIN.withAdaptive(new AdaptiveVocabulary(List.of(3, 6), 2, false, 0.1));
    FILE.write(STORAGE, file, config);
    assertThat(FILE.read(STORAGE, file)).isEqualTo(config);
  }

  @Test
  void everyOtherComponentIsRequired() throws IOException {
    Path file = directory.resolve("damaged.json");
    FILE.write(STORAGE, file, PLAIN);
    String text = Files.readString(file);
    for (String key : List.of("vocabularySize", "normPlacement", "tiedOutput", "dropout")) {
      Files.writeString(file, text.replaceAll("\"" + key + "\" : [^,]*,", ""));
      assertThatThrownBy(() -> FILE.read(STORAGE, file))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(key);
      Files.writeString(file, text.replaceAll("(\"" + key + "\" : )[^,]*,", "$1null,"));
      assertThatThrownBy(() -> FILE.read(STORAGE, file)).isInstanceOf(CorruptFileException.class);
    }
  }
}
