package org.lathe.cli.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;

/**
 * A configuration before it is bound: the nested keys and where each of them was written, so that a
 * complaint can say so. Trees are laid over each other: defaults, preset, file, {@code --set}.
 */
final class ConfigTree {
  /** Sections of which one key excludes the others: they are replaced whole, never merged. */
  private static final String CHOICE = "pruning.target";

  private final ObjectNode root;
  private final Map<String, String> origins = new HashMap<>();

  ConfigTree() {
    this(JsonNodeFactory.instance.objectNode());
  }

  ConfigTree(ObjectNode root) {
    this.root = root;
  }

  ObjectNode root() {
    return root;
  }

  /** Notes where the value at this dotted path was written, for instance "line 7 of my.yaml". */
  void noteOrigin(String path, String origin) {
    origins.put(path, origin);
  }

  /** " (line 7 of my.yaml)", or nothing when unknown. */
  String originSuffix(String path) {
    String origin = origins.get(path);
    return origin == null ? "" : " (" + origin + ")";
  }

  /** Lays another tree over this one: its values win, key by key. */
  void overlay(ConfigTree upper) {
    merge(root, upper.root, "");
    origins.putAll(upper.origins);
  }

  private static void merge(ObjectNode lower, ObjectNode upper, String path) {
    for (Map.Entry<String, JsonNode> entry : upper.properties()) {
      String key = entry.getKey();
      String keyPath = path.isEmpty() ? key : path + "." + key;
      if (entry.getValue() instanceof ObjectNode section
          && lower.get(key) instanceof ObjectNode existing
          && !keyPath.equals(CHOICE)) {
        merge(existing, section, keyPath);
      } else {
        lower.set(key, entry.getValue().deepCopy());
      }
    }
  }
}
