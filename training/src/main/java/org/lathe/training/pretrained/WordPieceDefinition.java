package org.lathe.training.pretrained;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lathe.graphs.errors.CorruptFileException;

/** BERT's tokenizer in its two spellings: vocab.txt, one piece a line, and tokenizer.json. */
final class WordPieceDefinition {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String CLASS = "[CLS]";
  private static final String SEPARATOR = "[SEP]";
  private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", CLASS, SEPARATOR, "[MASK]");

  private WordPieceDefinition() {}

  /**
   * tokenizer.json of a vocabulary.
   *
   * @param vocabulary text of vocab.txt; line i has id i
   * @param place for messages
   * @param lowerCase whether text is lower-cased and accents dropped
   * @throws CorruptFileException when a piece stands twice or a special one is missing
   */
  static String json(String vocabulary, String place, boolean lowerCase) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (String line : vocabulary.lines().toList()) {
      Integer before = ids.put(line, ids.size());
      if (before != null) {
        throw new CorruptFileException(
            "%s: line %d repeats line %d, expected every piece once; download it again."
                .formatted(place, ids.size() + 1, before + 1));
      }
    }
    for (String special : SPECIAL) {
      if (!ids.containsKey(special)) {
        throw new CorruptFileException(
            "%s has no piece %s; is it the vocabulary of a BERT?".formatted(place, special));
      }
    }
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0").putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    ids.forEach(
        (piece, id) -> {
          if (SPECIAL.contains(piece)) {
            added
                .addObject()
                .put("id", id)
                .put("content", piece)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
          }
        });
    root.putObject("normalizer")
        .put("type", "BertNormalizer")
        .put("clean_text", true)
        .put("handle_chinese_chars", true)
        .putNull("strip_accents")
        .put("lowercase", lowerCase);
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
    template(processor.putArray("single"), "A");
    template(processor.putArray("pair"), "A", "B");
    ObjectNode specials = processor.putObject("special_tokens");
    for (String special : List.of(CLASS, SEPARATOR)) {
      ObjectNode token = specials.putObject(special).put("id", special);
      token.putArray("ids").add(ids.get(special));
      token.putArray("tokens").add(special);
    }
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    ObjectNode model =
        root.putObject("model")
            .put("type", "WordPiece")
            .put("unk_token", "[UNK]")
            .put("continuing_subword_prefix", "##")
            .put("max_input_chars_per_word", 100);
    ObjectNode table = model.putObject("vocab");
    ids.forEach(table::put);
    return root.toString();
  }

  /** A vocabulary without capitals is one of lower-cased text. */
  static boolean looksLowerCased(String vocabulary) {
    return vocabulary
        .lines()
        .filter(line -> !line.startsWith("["))
        .noneMatch(line -> line.codePoints().anyMatch(Character::isUpperCase));
  }

  /** vocab.txt of a tokenizer.json; empty where it is no WordPiece tokenizer without gaps. */
  static String vocabulary(String json) {
    try {
      JsonNode model = JSON.readTree(json).path("model");
      if (!model.path("type").asText().equals("WordPiece")) {
        return "";
      }
      Map<Integer, String> pieces = new TreeMap<>();
      model.path("vocab").properties().forEach(e -> pieces.put(e.getValue().asInt(), e.getKey()));
      List<String> lines = new ArrayList<>(pieces.values());
      boolean complete =
          pieces.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1) == lines.size() - 1;
      return complete ? String.join("\n", lines) + "\n" : "";
    } catch (JsonProcessingException e) {
      throw new CorruptFileException("the tokenizer is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Whether a tokenizer.json lower-cases. */
  static boolean lowerCases(String json) {
    try {
      return JSON.readTree(json).path("normalizer").path("lowercase").asBoolean();
    } catch (JsonProcessingException e) {
      throw new CorruptFileException("the tokenizer is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static void template(ArrayNode template, String... sequences) {
    special(template, CLASS, 0);
    for (int i = 0; i < sequences.length; i++) {
      template.addObject().putObject("Sequence").put("id", sequences[i]).put("type_id", i);
      special(template, SEPARATOR, i);
    }
  }

  private static void special(ArrayNode template, String token, int type) {
    template.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
  }
}
