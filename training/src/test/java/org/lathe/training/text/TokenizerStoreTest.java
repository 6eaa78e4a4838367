package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.training.files.LocalStorage;

class TokenizerStoreTest {
  @TempDir Path directory;

  @Test
  void byteTokenizerRestoresEveryText() {
    ByteTokenizer bytes = new ByteTokenizer();
    for (String text : TextSamples.mixed(new Random(3), 10_000)) {
      assertThat(bytes.decode(bytes.encode(text))).isEqualTo(text);
    }
    assertThat(bytes.decode(bytes.encode("\uDC00a\uD83D"))).isEqualTo("\uFFFDa\uFFFD");
    assertThat(bytes.encode("a\u00e9")).containsExactly('a', 0xC3, 0xA9);
  }

  @Test
  void wordVocabularyCountsSortsAndKnowsLineEnds() {
    WordVocabulary words = WordVocabulary.build(List.of("b a a\tc\nb <unk> a\n", "d\r\n"), 5);
    assertThat(words.words()).containsExactly("<unk>", "<eos>", "a", "b", "c");
    assertThat(words.encode("a  d c\n\nb")).containsExactly(2, 0, 4, 1, 1, 3);
    assertThat(words.decode(new int[] {2, 0, 4, 1, 1, 3})).isEqualTo("a <unk> c\n\nb");
    assertThatThrownBy(() -> words.decode(new int[] {5}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void everyKindComesBackTheSame() throws Exception {
    String json = BytePairTrainer.train(List.of(TextSamples.CODE), 300);
    for (Tokenizer tokenizer :
        List.of(
            new ByteTokenizer(),
            WordVocabulary.build(List.of(TextSamples.CODE), 20),
            HfTokenizer.fromJson(json))) {
      Path place = Files.createDirectory(directory.resolve(tokenizer.kind()));
      assertThat(TokenizerStore.exists(LocalStorage.INSTANCE, place)).isFalse();
      TokenizerStore.write(LocalStorage.INSTANCE, tokenizer, place);
      try (tokenizer;
          Tokenizer read = TokenizerStore.read(LocalStorage.INSTANCE, place)) {
        assertThat(read.kind()).isEqualTo(tokenizer.kind());
        assertThat(read.vocabularySize()).isEqualTo(tokenizer.vocabularySize());
        assertThat(read.fingerprint()).isEqualTo(tokenizer.fingerprint()).hasSize(64);
        assertThat(read.encode(TextSamples.CODE)).isEqualTo(tokenizer.encode(TextSamples.CODE));
      }
    }
  }

  @Test
  void damageIsNamed() throws Exception {
    TokenizerStore.write(
        LocalStorage.INSTANCE, WordVocabulary.build(List.of("a b b"), 10), directory);
    Path words = directory.resolve("vocabulary.txt");
    Path kind = directory.resolve("tokenizer-kind.json");
    String goodWords = Files.readString(words);
    String goodKind = Files.readString(kind);
    assertFails(words, goodWords.replace("a\n", "x\n"), "fingerprint");
    assertFails(words, goodWords.replace("b\n", "a\n"), "stands twice");
    assertFails(words, goodWords.replace("<eos>\n", ""), "<eos>");
    assertFails(words, goodWords.strip(), "no end");
    Files.write(words, new byte[] {(byte) 0xFF});
    assertThatThrownBy(() -> TokenizerStore.read(LocalStorage.INSTANCE, directory))
        .hasMessageContaining("not UTF-8");
    Files.delete(words);
    assertThatThrownBy(() -> TokenizerStore.read(LocalStorage.INSTANCE, directory))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("vocabulary.txt is missing");
    Files.writeString(words, goodWords);
    assertFails(kind, "{", "not JSON");
    assertFails(kind, "{}", "version");
    assertFails(kind, goodKind.replace("\"word\"", "\"sound\""), "sound");
    assertFails(kind, " ".repeat(5000) + goodKind, "limit");
    Files.writeString(kind, goodKind.replace("\"version\" : 1", "\"version\" : 2"));
    assertThatThrownBy(() -> TokenizerStore.read(LocalStorage.INSTANCE, directory))
        .isInstanceOf(FormatTooNewException.class);
    Files.delete(kind);
    assertThatThrownBy(() -> TokenizerStore.read(LocalStorage.INSTANCE, directory))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("missing");
  }

  private void assertFails(Path file, String content, String message) throws Exception {
    String before = Files.readString(file);
    Files.writeString(file, content);
    assertThatThrownBy(() -> TokenizerStore.read(LocalStorage.INSTANCE, directory))
        .isInstanceOf(LatheException.class)
        .hasMessageContaining(message);
    Files.writeString(file, before);
  }
}
