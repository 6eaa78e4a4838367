package org.lathe.cli.workflow;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/**
 * A mixing as JSON: {@code form}, {@code temperature} and {@code interpolation} of recent memory
 * and, where items are retrieved, {@code external} with {@code shared}, {@code temperature} and
 * {@code interpolation}.
 */
final class MixingFacts {
  private MixingFacts() {}

  static Map<String, Object> of(MemoryMixing mixing) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("form", mixing.recent().form().name().toLowerCase(Locale.ROOT));
    facts.put("temperature", mixing.recent().temperature());
    facts.put("interpolation", mixing.recent().interpolation());
    if (!mixing.external().equals(ExternalMixing.NONE)) {
      Map<String, Object> external = new LinkedHashMap<>();
      external.put("shared", mixing.external().shared());
      external.put("temperature", mixing.external().temperature());
      external.put("interpolation", mixing.external().interpolation());
      facts.put("external", external);
    }
    return facts;
  }

  /**
   * @param file for messages
   * @throws CorruptFileException when this is no mixing
   */
  static MemoryMixing parse(Object facts, String file) {
    try {
      if (facts instanceof Map<?, ?> map && map.get("form") instanceof String form) {
        Mixing recent =
            new Mixing(
                Mixing.Form.valueOf(form.toUpperCase(Locale.ROOT)),
                number(map, "temperature", file),
                number(map, "interpolation", file));
        if (!map.containsKey("external")) {
          return MemoryMixing.recentOnly(recent);
        }
        if (map.get("external") instanceof Map<?, ?> external
            && external.get("shared") instanceof Boolean shared) {
          return new MemoryMixing(
              recent,
              new ExternalMixing(
                  shared,
                  number(external, "temperature", file),
                  number(external, "interpolation", file)));
        }
      }
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(
          file + " holds an impossible mixing: " + facts + ". Tune again with --tune.", e);
    }
    throw missing(file, "form, or shared of external");
  }

  private static double number(Map<?, ?> map, String key, String file) {
    if (map.get(key) instanceof Number number) {
      return number.doubleValue();
    }
    throw missing(file, key);
  }

  private static CorruptFileException missing(String file, String what) {
    return new CorruptFileException(
        file + " holds a mixing without " + what + ". Tune again with --tune.");
  }
}
