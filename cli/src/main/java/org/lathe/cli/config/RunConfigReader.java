package org.lathe.cli.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.Storage;

/**
 * Makes a RunConfig of four layers, the later ones winning: defaults, preset, YAML file, overrides.
 * Every complaint is a ConfigException that names the key, what was found and what is expected.
 */
public final class RunConfigReader {
  /** A configuration is written by a person; anything larger is another file. */
  public static final int MAX_FILE_BYTES = 1 << 20;

  private static final ObjectMapper RECORDS =
      JsonMapper.builder()
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .configure(EnumFeature.WRITE_ENUMS_TO_LOWERCASE, true)
          .build();

  private final Storage storage;

  public RunConfigReader(Storage storage) {
    this.storage = storage;
  }

  /**
   * @param file YAML, or null for none
   * @param preset name, or null for none
   */
  public RunConfig read(@Nullable Path file, @Nullable String preset, Overrides overrides) {
    ConfigTree tree = presetTree(Presets.DEFAULTS);
    if (preset != null) {
      tree.overlay(presetTree(preset));
    }
    if (file != null) {
      ConfigTree fromFile = YamlTreeReader.read(text(file), file.toString());
      ConfigSchema.check(fromFile);
      tree.overlay(fromFile);
    }
    overrides.applyTo(tree);
    return bind(tree);
  }

  /** The configuration stored with a run (see {@link #toJson}), changed by overrides. */
  public static RunConfig fromJson(JsonNode stored, Overrides overrides) {
    if (!(stored instanceof ObjectNode object)) {
      throw new ConfigException("the stored configuration is not an object of sections");
    }
    ConfigTree tree = presetTree(Presets.DEFAULTS);
    ConfigTree upper = new ConfigTree(object.deepCopy());
    ConfigSchema.check(upper);
    tree.overlay(upper);
    overrides.applyTo(tree);
    return bind(tree);
  }

  /** All keys with their values, as run.json records them. */
  public static JsonNode toJson(RunConfig config) {
    ObjectNode json = RECORDS.valueToTree(config);
    // choices that were not made are absent, as in YAML
    ((ObjectNode) json.path("pruning").path("target")).removeIf(JsonNode::isNull);
    return json;
  }

  private static ConfigTree presetTree(String name) {
    ConfigTree tree = YamlTreeReader.read(Presets.text(name), "preset " + name);
    ConfigSchema.check(tree);
    return tree;
  }

  private static RunConfig bind(ConfigTree tree) {
    try {
      return RECORDS.treeToValue(tree.root(), RunConfig.class);
    } catch (JsonProcessingException e) {
      if (e.getCause() instanceof ConfigException refused) {
        String message = String.valueOf(refused.getMessage());
        int end = message.indexOf(' ');
        String origin = end < 0 ? "" : tree.originSuffix(message.substring(0, end));
        throw new ConfigException(message + origin, refused);
      }
      throw new ConfigException("the configuration does not fit: " + e.getOriginalMessage(), e);
    }
  }

  private String text(Path file) {
    if (!storage.exists(file)) {
      throw new ConfigException(
          "no configuration at "
              + file
              + "; check the path, or use --preset (see 'lathe presets')");
    }
    if (storage.isDirectory(file)) {
      throw new ConfigException(file + " is a directory; expected a YAML file");
    }
    byte[] bytes;
    try (InputStream in = storage.open(file)) {
      bytes = in.readNBytes(MAX_FILE_BYTES + 1);
    } catch (IOException e) {
      throw new ConfigException("cannot read the configuration " + file + ": " + e.getMessage(), e);
    }
    if (bytes.length > MAX_FILE_BYTES) {
      throw new ConfigException(
          file + " has more than " + MAX_FILE_BYTES + " bytes; expected a configuration in YAML");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new ConfigException(file + " is not UTF-8 text; save it as UTF-8", e);
    }
  }
}
