package org.lathe.cli.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.errors.ConfigException;

/**
 * The {@code --set section.key=value} options in the order given; later ones win.
 *
 * @param assignments each "path=value", the value as it would stand in the YAML
 */
public record Overrides(List<String> assignments) {
  public static final Overrides NONE = new Overrides(List.of());

  public Overrides {
    assignments = List.copyOf(assignments);
  }

  /** These and one more, which wins. */
  public Overrides with(String assignment) {
    List<String> more = new ArrayList<>(assignments);
    more.add(assignment);
    return new Overrides(more);
  }

  void applyTo(ConfigTree tree) {
    for (String assignment : assignments) {
      ConfigTree one = parse(assignment);
      ConfigSchema.check(one);
      tree.overlay(one);
    }
  }

  private static ConfigTree parse(String assignment) {
    int equals = assignment.indexOf('=');
    if (equals <= 0) {
      throw new ConfigException(
          "--set " + assignment + " has no key and value; expected --set section.key=value");
    }
    String origin = "--set " + assignment;
    String path = assignment.substring(0, equals).trim();
    ConfigTree tree = new ConfigTree();
    ObjectNode section = tree.root();
    int start = 0;
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', start)) {
      tree.noteOrigin(path.substring(0, dot), origin);
      section = section.putObject(path.substring(start, dot));
      start = dot + 1;
    }
    tree.noteOrigin(path, origin);
    section.set(
        path.substring(start), YamlTreeReader.readValue(assignment.substring(equals + 1), origin));
    return tree;
  }
}
