package org.lathe.training.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.base.Utf8;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalLong;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * A tokenizer described by a Hugging Face {@code tokenizer.json} and run by the Hugging Face
 * library itself, without special tokens, truncation or padding. Holds native memory: close it.
 */
public final class HfTokenizer implements Tokenizer {
  /** Nesting of tokenizer.json that we follow. */
  static final int MAX_JSON_DEPTH = 64;

  static final JsonMapper JSON =
      new JsonMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxNestingDepth(MAX_JSON_DEPTH).build())
              .build());

  static {
    // DJL counts its users when a tokenizer is made: it asks the cloud's metadata service where it
    // runs and reports to a bucket. Offline it does not, nor does it fetch native libraries.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  /** Everything that DJL would add of its own accord, switched off. */
  private static final Map<String, String> OPTIONS =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");

  private final String json;
  private final HuggingFaceTokenizer tokenizer;
  private final int vocabularySize;
  private final String fingerprint;

  private final boolean lossless;

  private HfTokenizer(
      String json, HuggingFaceTokenizer tokenizer, int vocabularySize, boolean lossless) {
    this.lossless = lossless;
    this.json = json;
    this.tokenizer = tokenizer;
    this.vocabularySize = vocabularySize;
    this.fingerprint = Texts.fingerprint(TokenizerKind.BPE.word(), json);
  }

  /**
   * Loads a definition.
   *
   * @throws CorruptFileException when it is no tokenizer.json that the library accepts
   */
  public static HfTokenizer fromJson(String json) {
    int vocabularySize = checkedVocabularySize(json);
    return new HfTokenizer(json, open(json, OPTIONS), vocabularySize, isByteLevel(json));
  }

  /** Hands a checked definition to the library; close what it answers. */
  static HuggingFaceTokenizer open(String json, Map<String, String> options) {
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), options);
    } catch (IOException | RuntimeException e) {
      throw new CorruptFileException(
          "tokenizer.json is not accepted by the tokenizer library (%s); prepare the data again."
              .formatted(e.getMessage()),
          e);
    }
  }

  @Override
  public int[] encode(String text) {
    if (text.isEmpty()) {
      return new int[0];
    }
    long[] ids = tokenizer.encode(Texts.wellFormed(text), false, false).getIds();
    int[] tokens = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      tokens[i] = (int) ids[i];
    }
    return tokens;
  }

  @Override
  public String decode(int[] tokens) {
    long[] ids = new long[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      ids[i] = tokens[i];
    }
    return tokens.length == 0 ? "" : tokenizer.decode(ids, false);
  }

  /** Known for byte-level encodings without a normalizer, whose decoding is lossless. */
  @Override
  public OptionalLong numBytes(int[] tokens) {
    return lossless ? OptionalLong.of(Utf8.encodedLength(decode(tokens))) : OptionalLong.empty();
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public String kind() {
    return TokenizerKind.BPE.word();
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  /** The definition, as given. */
  public String json() {
    return json;
  }

  @Override
  public void close() {
    tokenizer.close();
  }

  /** Parses in Java first, so that the native library never meets bytes that are not this. */
  static int checkedVocabularySize(String json) {
    try {
      JsonNode root = JSON.readTree(json);
      JsonNode vocabulary = root.path("model").path("vocab");
      if (!(vocabulary.isObject() || vocabulary.isArray()) || vocabulary.isEmpty()) {
        throw new CorruptFileException(
            "tokenizer.json has no vocabulary at model.vocab; prepare the data again.");
      }
      // arrays (Unigram) number their entries by position
      int largest = vocabulary.isArray() ? vocabulary.size() - 1 : -1;
      for (JsonNode id : vocabulary) {
        largest = Math.max(largest, vocabulary.isObject() ? checkedId(id) : -1);
      }
      for (JsonNode added : root.path("added_tokens")) {
        largest = Math.max(largest, checkedId(added.path("id")));
      }
      return largest + 1;
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          "tokenizer.json is not JSON (%s); prepare the data again."
              .formatted(e.getOriginalMessage()),
          e);
    }
  }

  private static boolean isByteLevel(String json) {
    try {
      JsonNode root = JSON.readTree(json);
      JsonNode normalizer = root.path("normalizer");
      return root.path("decoder").path("type").asText().equals("ByteLevel")
          && (normalizer.isMissingNode() || normalizer.isNull());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("it was parsed before", e);
    }
  }

  private static int checkedId(JsonNode id) {
    if (!id.canConvertToInt()
        || !id.isIntegralNumber()
        || id.intValue() < 0
        || id.intValue() == Integer.MAX_VALUE) {
      throw new CorruptFileException(
          "tokenizer.json has the token id %s, not a whole number from 0; prepare the data again."
              .formatted(id));
    }
    return id.intValue();
  }
}
