package org.lathe.cli.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;
import org.lathe.graphs.errors.ConfigException;

/**
 * Reads YAML into a tree that remembers lines. Refuses duplicate keys, more than one document,
 * anchors' merge keys (they are unknown keys to the binder) and nesting beyond {@link #MAX_DEPTH}.
 */
final class YamlTreeReader {
  static final int MAX_DEPTH = 64;

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** YAML 1.1 takes 2e-3 for a string because it has no dot; people mean a number. */
  private static final Pattern DOTLESS_EXPONENT =
      Pattern.compile("[-+]?[0-9]+(\\.[0-9]*)?[eE][-+]?[0-9]+");

  private static final YAMLFactory YAML =
      YAMLFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH + 8).build())
          .build();

  private final String source;
  private final ConfigTree tree = new ConfigTree();

  private YamlTreeReader(String source) {
    this.source = source;
  }

  /**
   * @param text of the file
   * @param source its name in messages
   */
  static ConfigTree read(String text, String source) {
    YamlTreeReader reader = new YamlTreeReader(source);
    reader.readDocument(text);
    return reader.tree;
  }

  /** One value as it would stand after a colon: {@code --set key=VALUE}. */
  static JsonNode readValue(String text, String source) {
    YamlTreeReader reader = new YamlTreeReader(source);
    try (JsonParser parser = YAML.createParser(text)) {
      JsonToken token = parser.nextToken();
      JsonNode value = token == null ? NullNode.instance : reader.value(parser, "", 1);
      if (parser.nextToken() != null) {
        throw new ConfigException(source + ": expected one value");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw reader.syntax(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void readDocument(String text) {
    try (JsonParser parser = YAML.createParser(text)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new ConfigException(source + " is empty; expected sections such as 'model:'");
      }
      if (first != JsonToken.START_OBJECT) {
        throw new ConfigException(
            source + " is not a configuration; expected sections such as 'model:' at the top");
      }
      section(parser, tree.root(), "", 1);
      if (parser.nextToken() != null) {
        throw new ConfigException(
            source + " has more than one document; remove what follows the second '---'");
      }
    } catch (JsonProcessingException e) {
      throw syntax(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void section(JsonParser parser, ObjectNode into, String path, int depth)
      throws IOException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      int line = parser.currentTokenLocation().getLineNr();
      if (into.has(key)) {
        throw new ConfigException(
            source
                + ": key '"
                + key
                + "' appears twice in "
                + place(path)
                + " (line "
                + line
                + ")");
      }
      String keyPath = path.isEmpty() ? key : path + "." + key;
      tree.noteOrigin(keyPath, "line " + line + " of " + source);
      parser.nextToken();
      into.set(key, value(parser, keyPath, depth + 1));
    }
  }

  private JsonNode value(JsonParser parser, String path, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new ConfigException(
          source
              + ": nested deeper than "
              + MAX_DEPTH
              + " levels (line "
              + parser.currentTokenLocation().getLineNr()
              + ")");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        ObjectNode object = NODES.objectNode();
        section(parser, object, path, depth);
        yield object;
      }
      case START_ARRAY -> {
        ArrayNode array = NODES.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(value(parser, path, depth + 1));
        }
        yield array;
      }
      case VALUE_NUMBER_INT -> NODES.numberNode(parser.getBigIntegerValue());
      case VALUE_NUMBER_FLOAT -> NODES.numberNode(parser.getDoubleValue());
      case VALUE_TRUE, VALUE_FALSE -> NODES.booleanNode(parser.getBooleanValue());
      case VALUE_NULL -> NODES.nullNode();
      default -> {
        String text = parser.getText();
        yield DOTLESS_EXPONENT.matcher(text).matches()
            ? NODES.numberNode(Double.parseDouble(text))
            : NODES.textNode(text);
      }
    };
  }

  private ConfigException syntax(JsonProcessingException e) {
    String problem = e.getOriginalMessage();
    int end = problem.indexOf('\n');
    String firstLine = end < 0 ? problem : problem.substring(0, end);
    String line = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
    return new ConfigException(source + " is not valid YAML" + line + ": " + firstLine, e);
  }

  private static String place(String path) {
    return path.isEmpty() ? "the top level" : "section '" + path + "'";
  }
}
