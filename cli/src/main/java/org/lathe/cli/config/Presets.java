package org.lathe.cli.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.lathe.graphs.errors.ConfigException;

/** Configurations that come with Lathe, as YAML resources. */
public final class Presets {
  static final String DEFAULTS = "defaults";

  private static final List<String> NAMES =
      List.of(
          "demo",
          "demo-vanilla",
          "vanilla",
          "adaptive",
          "trime-local",
          "trime-long",
          "trime-ext",
          "bytes",
          "transformer-xl",
          "compressive",
          "encoder",
          "trime-247m",
          "trime-150m",
          "trime-38m",
          "trime-7m",
          "tiny",
          DEFAULTS);

  private Presets() {}

  /** In the order to show them. */
  public static List<String> names() {
    return NAMES;
  }

  /** The YAML text of a preset. */
  public static String text(String name) {
    if (!NAMES.contains(name)) {
      throw new ConfigException(
          "unknown preset '" + name + "'" + Suggestions.didYouMean(name, NAMES, "known presets"));
    }
    String resource = "/org/lathe/cli/presets/" + name + ".yaml";
    try (InputStream in = Presets.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("resource " + resource + " is missing from this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The comment on a preset's first line. */
  public static String summary(String name) {
    String firstLine = text(name).lines().findFirst().orElse("");
    return firstLine.startsWith("# ") ? firstLine.substring(2) : "";
  }
}
