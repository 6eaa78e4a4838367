package org.lathe.cli.workflow;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a command tells in the end: the same facts for a person (lines) and a machine (one object).
 *
 * @param exitCode of the process, see ExitCodes
 * @param facts what {@code --json} prints, keys in the order of insertion; values are strings,
 *     numbers, booleans, lists and maps of these
 * @param lines what is printed without {@code --json}; the last ones name the artefact and the next
 *     command to type
 */
public record Outcome(int exitCode, Map<String, Object> facts, List<String> lines) {
  public Outcome {
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    lines = List.copyOf(lines);
  }

  public static Outcome done(Map<String, Object> facts, List<String> lines) {
    return new Outcome(0, facts, lines);
  }

  /** Stopped by a signal, with a clean checkpoint behind it. */
  public static Outcome interrupted(Map<String, Object> facts, List<String> lines) {
    return new Outcome(130, facts, lines);
  }
}
