package org.lathe.cli.commands;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.Presets;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "presets",
    description = "List the presets, or print one as YAML to start a configuration from.",
    footer = {"", "Example:", "  lathe presets demo > my.yaml"})
final class PresetsCommand extends BaseCommand {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Print this preset.")
  private @Nullable String name;

  PresetsCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    Map<String, Object> facts = new LinkedHashMap<>();
    if (name != null) {
      String yaml = Presets.text(name);
      facts.put("name", name);
      facts.put("yaml", yaml);
      return Outcome.done(facts, List.of(yaml.stripTrailing()));
    }
    List<String> lines = new ArrayList<>();
    for (String preset : Presets.names()) {
      facts.put(preset, Presets.summary(preset));
      lines.add("%-16s%s".formatted(preset, Presets.summary(preset)));
    }
    return Outcome.done(facts, lines);
  }
}
