package org.lathe.training.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.training.files.Storage;

/**
 * Tokenizers in a directory: {@code tokenizer-kind.json} and, by kind, {@code tokenizer.json} or
 * {@code vocabulary.txt}.
 */
public final class TokenizerStore {
  public static final String KIND_FILE = "tokenizer-kind.json";
  public static final String BPE_FILE = "tokenizer.json";
  public static final String WORD_FILE = "vocabulary.txt";

  /** Larger definitions are refused before they are read. */
  static final long MAX_DEFINITION_BYTES = 64L << 20;

  static final long MAX_KIND_FILE_BYTES = 1 << 12;
  private static final int VERSION = 1;

  private static final JsonMapper JSON =
      new JsonMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxNestingDepth(HfTokenizer.MAX_JSON_DEPTH)
                      .build())
              .build());

  private TokenizerStore() {}

  /** Whether a directory holds a tokenizer. */
  public static boolean exists(Storage storage, Path directory) {
    return storage.exists(directory.resolve(KIND_FILE));
  }

  /**
   * Writes a tokenizer into an existing directory, without syncing.
   *
   * @throws IllegalArgumentException for a tokenizer of an unknown class
   * @throws UncheckedIOException when a file exists or cannot be written
   */
  public static void write(Storage storage, Tokenizer tokenizer, Path directory) {
    try {
      if (tokenizer instanceof HfTokenizer bpe) {
        writeText(storage, directory.resolve(BPE_FILE), bpe.json());
      } else if (tokenizer instanceof WordVocabulary vocabulary) {
        writeText(storage, directory.resolve(WORD_FILE), vocabulary.definition());
      } else if (!(tokenizer instanceof ByteTokenizer)) {
        throw new IllegalArgumentException("cannot store a " + tokenizer.getClass());
      }
      String kind =
          JSON.createObjectNode()
              .put("version", VERSION)
              .put("kind", tokenizer.kind())
              .put("vocabularySize", tokenizer.vocabularySize())
              .put("fingerprint", tokenizer.fingerprint())
              .toPrettyString();
      writeText(storage, directory.resolve(KIND_FILE), kind + '\n');
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the tokenizer into " + directory, e);
    }
  }

  /**
   * Reads a tokenizer back; close it after use.
   *
   * @throws CorruptFileException when a file is missing, damaged or not the one that was written
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws UncheckedIOException when a file cannot be read at all
   */
  public static Tokenizer read(Storage storage, Path directory) {
    Path file = directory.resolve(KIND_FILE);
    JsonNode header;
    try {
      header = JSON.readTree(readText(storage, file, MAX_KIND_FILE_BYTES));
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          "%s is not JSON (%s); prepare the data again.".formatted(file, e.getOriginalMessage()),
          e);
    }
    if (!header.path("version").canConvertToInt() || !header.path("version").isInt()) {
      throw new CorruptFileException(
          "%s has no whole number at \"version\"; prepare the data again.".formatted(file));
    }
    if (header.path("version").intValue() > VERSION) {
      throw new FormatTooNewException(
          "%s has version %s, but this Lathe reads up to %d; use a newer Lathe."
              .formatted(file, header.path("version"), VERSION));
    }
    Tokenizer tokenizer = readByKind(storage, directory, header.path("kind").asText());
    String expected = header.path("fingerprint").asText();
    if (!tokenizer.fingerprint().equals(expected)) {
      tokenizer.close();
      throw new CorruptFileException(
          "The tokenizer in %s has fingerprint %s, but %s says \"%s\": one of its files was changed; prepare the data again."
              .formatted(directory, tokenizer.fingerprint(), KIND_FILE, expected));
    }
    return tokenizer;
  }

  private static Tokenizer readByKind(Storage storage, Path directory, String kind) {
    return switch (kind) {
      case "byte" -> new ByteTokenizer();
      case "word" -> readWords(storage, directory.resolve(WORD_FILE));
      case "bpe" ->
          HfTokenizer.fromJson(
              readText(storage, directory.resolve(BPE_FILE), MAX_DEFINITION_BYTES));
      default ->
          throw new CorruptFileException(
              "%s has kind \"%s\", expected byte, word or bpe; prepare the data again."
                  .formatted(directory.resolve(KIND_FILE), kind));
    };
  }

  private static WordVocabulary readWords(Storage storage, Path file) {
    String definition = readText(storage, file, MAX_DEFINITION_BYTES);
    try {
      return WordVocabulary.fromDefinition(definition);
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(
          "%s is not a vocabulary: %s; prepare the data again.".formatted(file, e.getMessage()), e);
    }
  }

  private static String readText(Storage storage, Path file, long maxBytes) {
    return readText(storage, file, maxBytes, "prepare the data again.");
  }

  /** A UTF-8 file within a limit; the advice ends the messages about it. */
  static String readText(Storage storage, Path file, long maxBytes, String advice) {
    if (!storage.exists(file)) {
      throw new CorruptFileException("%s is missing; %s".formatted(file, advice));
    }
    try (InputStream in = storage.open(file)) {
      byte[] bytes = in.readNBytes((int) (maxBytes + 1));
      if (bytes.length > maxBytes) {
        throw new CorruptFileException(
            "%s is larger than the limit of %d bytes; is it the right file?"
                .formatted(file, maxBytes));
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new CorruptFileException("%s is not UTF-8; %s".formatted(file, advice), e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static void writeText(Storage storage, Path file, String text) throws IOException {
    try (OutputStream out = storage.create(file)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
