package org.lathe.training.pretrained;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * What vocab.txt and tokenizer.json of a WordPiece tokenizer tell of each other; {@link
 * org.lathe.training.text.TokenizerDefinition} makes the second of the first.
 */
final class WordPieceDefinition {
  private static final JsonMapper JSON = new JsonMapper();

  private WordPieceDefinition() {}

  /**
   * A vocabulary without capitals is one of lower-cased text. Letters that are upper case and have
   * no lower one, such as the double-struck R in the vocabulary of uncased BERT, tell nothing.
   */
  static boolean looksLowerCased(String vocabulary) {
    return vocabulary
        .lines()
        .filter(line -> !line.startsWith("["))
        .noneMatch(line -> line.codePoints().anyMatch(c -> Character.toLowerCase(c) != c));
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

  /**
   * tokenizer_config.json of a tokenizer.json. It says all that the normalizer does: what is left
   * out has defaults of its own there, and they override the normalizer.
   */
  static Map<String, Object> settings(String json) {
    try {
      JsonNode normalizer = JSON.readTree(json).path("normalizer");
      Map<String, Object> settings = new LinkedHashMap<>();
      settings.put("tokenizer_class", "BertTokenizer");
      settings.put("do_lower_case", normalizer.path("lowercase").asBoolean());
      if (normalizer.path("strip_accents").isBoolean()) {
        settings.put("strip_accents", normalizer.path("strip_accents").booleanValue());
      }
      settings.put(
          "tokenize_chinese_chars", normalizer.path("handle_chinese_chars").asBoolean(true));
      return settings;
    } catch (JsonProcessingException e) {
      throw new CorruptFileException("the tokenizer is not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
