package org.lathe.cli.workflow;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** How a piece of memory is shown, as a line for a person and as facts for a machine. */
final class ShownItems {
  private ShownItems() {}

  /**
   * One line.
   *
   * @param share of a probability
   * @param memory kind of memory
   * @param where document and position
   * @param text what was remembered
   */
  static String line(double share, String memory, String where, String text) {
    return String.format(Locale.ROOT, "  %.3f  %-8s  %s %s", share, memory, printable(where), text);
  }

  /** The same: {@code share}, {@code memory}, {@code document}, {@code position}, {@code token}. */
  static Map<String, Object> facts(
      double share, String memory, String document, long position, String token) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("share", share);
    facts.put("memory", memory);
    facts.put("document", document);
    facts.put("position", position);
    facts.put("token", token);
    return facts;
  }

  /** On one line, between quotation marks. */
  static String quoted(String text) {
    String escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t");
    return '"' + printable(escaped) + '"';
  }

  /** What models and documents say must not steer a terminal. */
  static String printable(String text) {
    return text.replaceAll("[\\p{Cntrl}&&[^\\n\\t]]", "\uFFFD");
  }
}
