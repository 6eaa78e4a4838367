package org.lathe.cli.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.graphs.errors.ConfigException;

/**
 * Checks a tree against the records it will be bound to: every key known, every value of the right
 * type. The records are the schema; there is no second list of keys.
 */
public final class ConfigSchema {
  private final ConfigTree tree;

  private ConfigSchema(ConfigTree tree) {
    this.tree = tree;
  }

  /**
   * @throws ConfigException at the first key that is unknown or has a value of the wrong type
   */
  static void check(ConfigTree tree) {
    new ConfigSchema(tree).section(tree.root(), RunConfig.class, "");
  }

  private void section(ObjectNode node, Class<?> record, String path) {
    List<String> emptySections = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      String key = entry.getKey();
      String keyPath = path.isEmpty() ? key : path + "." + key;
      RecordComponent component = component(record, key, path, keyPath);
      boolean empty = entry.getValue().isNull() || entry.getValue().asText("x").isEmpty();
      if (entry.getValue().isValueNode() && empty && component.getType().isRecord()) {
        emptySections.add(key); // "model:" with nothing below: all defaults
      } else {
        value(entry.getValue(), component.getGenericType(), keyPath);
      }
    }
    node.remove(emptySections);
  }

  private RecordComponent component(Class<?> record, String key, String path, String keyPath) {
    RecordComponent[] components = record.getRecordComponents();
    for (RecordComponent component : components) {
      if (component.getName().equals(key)) {
        return component;
      }
    }
    List<String> known = Arrays.stream(components).map(RecordComponent::getName).toList();
    String place = path.isEmpty() ? "at the top level" : "in section '" + path + "'";
    throw new ConfigException(
        "unknown key '"
            + key
            + "' "
            + place
            + tree.originSuffix(keyPath)
            + Suggestions.didYouMean(key, known, "known keys"));
  }

  private void value(JsonNode node, Type type, String path) {
    if (type instanceof ParameterizedType list) {
      require(node instanceof ArrayNode, node, path, "a list, for instance [a, b]");
      for (JsonNode element : node) {
        value(element, list.getActualTypeArguments()[0], path);
      }
    } else if (type instanceof Class<?> plain && plain.isRecord()) {
      require(node instanceof ObjectNode, node, path, "a section with keys of its own");
      section((ObjectNode) node, plain, path);
    } else if (type instanceof Class<?> plain && plain.isEnum()) {
      List<String> names =
          Arrays.stream(plain.getEnumConstants()).map(ConfigSchema::wordOf).toList();
      boolean known = node.isTextual() && names.contains(node.asText().toLowerCase(Locale.ROOT));
      require(known, node, path, "one of " + String.join(", ", names));
    } else if (type == int.class || type == Integer.class) {
      require(node.isIntegralNumber() && node.canConvertToInt(), node, path, "a whole number");
    } else if (type == long.class || type == Long.class) {
      require(node.isIntegralNumber() && node.canConvertToLong(), node, path, "a whole number");
    } else if (type == double.class || type == Double.class) {
      require(node.isNumber(), node, path, "a number");
    } else if (type == boolean.class) {
      require(node.isBoolean(), node, path, "true or false");
    } else {
      require(node.isTextual(), node, path, "text");
    }
  }

  private void require(boolean holds, JsonNode node, String path, String expected) {
    if (!holds) {
      String found = node.isNull() ? "nothing" : node.isTextual() ? quoted(node) : node.toString();
      throw new ConfigException(
          path + " is " + found + tree.originSuffix(path) + "; expected " + expected);
    }
  }

  private static String quoted(JsonNode node) {
    return "'" + node.asText() + "'";
  }

  /**
   * The word that stands for an enum constant in YAML: FEED_FORWARD_LAYER is feed-forward-layer.
   */
  public static String wordOf(Object constant) {
    return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
