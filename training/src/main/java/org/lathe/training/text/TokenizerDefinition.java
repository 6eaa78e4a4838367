package org.lathe.training.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;

/**
 * The tokenizer of a pretrained encoder: a Hugging Face {@code tokenizer.json}, or one made from
 * the {@code vocab.txt} of a BERT model.
 */
public final class TokenizerDefinition {
  public static final String JSON_FILE = "tokenizer.json";
  private static final String VOCABULARY_FILE = "vocab.txt";

  /** Longer words of a vocab.txt tokenizer are unknown, as in BERT's own code. */
  private static final int MAX_WORD_CHARACTERS = 100;

  private static final String UNKNOWN = "[UNK]";
  private static final String BEGIN = "[CLS]";
  private static final String SEPARATOR = "[SEP]";
  private static final List<String> PADDINGS = List.of("[PAD]", "<pad>");
  private static final List<String> MASKS = List.of("[MASK]", "<mask>");
  private static final List<String> BERT_SPECIALS =
      List.of("[PAD]", UNKNOWN, BEGIN, SEPARATOR, "[MASK]");

  private static final String ADVICE = "fetch the model again.";

  private final String json;
  private final JsonNode root;
  private final int vocabularySize;

  private TokenizerDefinition(String json) {
    this.json = json;
    vocabularySize = HfTokenizer.checkedVocabularySize(json);
    root = parse(json);
  }

  /**
   * Takes a definition as it is.
   *
   * @throws CorruptFileException when it has no vocabulary or is not JSON
   */
  public static TokenizerDefinition fromJson(String json) {
    return new TokenizerDefinition(json);
  }

  /**
   * BERT's tokenizer: text is cleaned, split at spaces, punctuation and Chinese characters, and
   * each word cut greedily into the longest pieces of the vocabulary; [CLS] a [SEP] b [SEP].
   *
   * @param tokens the lines of a vocab.txt, which number its tokens from 0
   * @param lowerCase whether text is lower-cased and accents taken off ("uncased" models)
   * @throws CorruptFileException when a token is empty or double, or a special one is missing
   */
  public static TokenizerDefinition fromVocabulary(List<String> tokens, boolean lowerCase) {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    ObjectNode vocabulary = nodes.objectNode();
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id).stripTrailing();
      if (token.isEmpty() || vocabulary.has(token)) {
        throw new CorruptFileException(
            "line %d of %s has the token \"%s\"; expected one that is not empty and not there before; %s"
                .formatted(id + 1, VOCABULARY_FILE, token, ADVICE));
      }
      vocabulary.put(token, id);
    }
    for (String special : List.of("[PAD]", UNKNOWN, BEGIN, SEPARATOR)) {
      if (!vocabulary.has(special)) {
        throw new CorruptFileException(
            "%s has no token %s; expected the vocabulary of a BERT model."
                .formatted(VOCABULARY_FILE, special));
      }
    }
    ObjectNode root = nodes.objectNode();
    root.put("version", "1.0").putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    BERT_SPECIALS.stream()
        .filter(vocabulary::has)
        .forEach(token -> added.add(addedToken(token, vocabulary.get(token).intValue())));
    root.putObject("normalizer")
        .put("type", "BertNormalizer")
        .put("clean_text", true)
        .put("handle_chinese_chars", true)
        .putNull("strip_accents")
        .put("lowercase", lowerCase);
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    root.set("post_processor", bertTemplate(vocabulary));
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    root.putObject("model")
        .put("type", "WordPiece")
        .put("unk_token", UNKNOWN)
        .put("continuing_subword_prefix", "##")
        .put("max_input_chars_per_word", MAX_WORD_CHARACTERS)
        .set("vocab", vocabulary);
    return new TokenizerDefinition(root.toString());
  }

  /**
   * Reads a tokenizer.json.
   *
   * @throws CorruptFileException when it is missing, damaged or larger than 64 MiB
   */
  public static TokenizerDefinition read(Storage storage, Path file) {
    return fromJson(
        TokenizerStore.readText(storage, file, TokenizerStore.MAX_DEFINITION_BYTES, ADVICE));
  }

  /** The definition in tokenizer.json's form. */
  public String json() {
    return json;
  }

  /** One more than the largest token id. */
  public int vocabularySize() {
    return vocabularySize;
  }

  /** Id of a token as it is written, such as "[MASK]"; empty where there is none. */
  public OptionalInt tokenId(String token) {
    for (JsonNode added : root.path("added_tokens")) {
      if (added.path("content").asText().equals(token)) {
        return OptionalInt.of(added.path("id").intValue());
      }
    }
    JsonNode id = root.path("model").path("vocab").path(token);
    return id.isInt() ? OptionalInt.of(id.intValue()) : OptionalInt.empty();
  }

  /**
   * Id of the token that fills rows: of the definition's padding, or else [PAD] or {@code <pad>}.
   *
   * @throws CorruptFileException when there is none
   */
  public int padId() {
    JsonNode padding = root.path("padding").path("pad_id");
    if (padding.isInt() && padding.intValue() >= 0 && padding.intValue() < vocabularySize) {
      return padding.intValue();
    }
    return first(PADDINGS)
        .orElseThrow(
            () ->
                new CorruptFileException(
                    "%s has no token for padding; expected one of %s."
                        .formatted(JSON_FILE, PADDINGS)));
  }

  /** Id of the token that hides a word, [MASK] or {@code <mask>}; empty where there is none. */
  public OptionalInt maskId() {
    return first(MASKS);
  }

  /** The parsed definition, to be changed by its caller. */
  ObjectNode copyOfRoot() {
    return root.deepCopy();
  }

  private OptionalInt first(List<String> tokens) {
    return tokens.stream().map(this::tokenId).flatMapToInt(OptionalInt::stream).findFirst();
  }

  private static ObjectNode addedToken(String token, int id) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", id)
        .put("content", token)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
  }

  private static ObjectNode bertTemplate(ObjectNode vocabulary) {
    ObjectNode template = JsonNodeFactory.instance.objectNode().put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    piece(single, "SpecialToken", BEGIN, 0);
    piece(single, "Sequence", "A", 0);
    piece(single, "SpecialToken", SEPARATOR, 0);
    ArrayNode pair = template.putArray("pair").addAll(single);
    piece(pair, "Sequence", "B", 1);
    piece(pair, "SpecialToken", SEPARATOR, 1);
    ObjectNode specials = template.putObject("special_tokens");
    for (String token : List.of(BEGIN, SEPARATOR)) {
      ObjectNode special = specials.putObject(token).put("id", token);
      special.putArray("ids").add(vocabulary.get(token).intValue());
      special.putArray("tokens").add(token);
    }
    return template;
  }

  private static void piece(ArrayNode pieces, String kind, String id, int tokenType) {
    pieces.addObject().putObject(kind).put("id", id).put("type_id", tokenType);
  }

  private static JsonNode parse(String text) {
    try {
      return HfTokenizer.JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          "%s is not JSON (%s); %s".formatted(JSON_FILE, e.getOriginalMessage(), ADVICE), e);
    }
  }
}
