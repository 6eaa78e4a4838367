package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.files.JsonFile;
import org.lathe.training.memory.Mixing;

/**
 * {@code lathe evaluate}: perplexity of a run's model with the memories asked for. Mixings tuned
 * with --tune are kept in RUN/evaluation.json and used again without it.
 */
final class EvaluateWorkflow {
  static final String FILE = "evaluation.json";

  private EvaluateWorkflow() {}

  static Outcome run(EvaluateRequest request, RunContext context) {
    RunDirectory run = RunDirectory.open(context.storage(), request.run());
    RunConfig config = run.config(request.overrides());
    Path file = request.run().resolve(FILE);
    Map<String, Object> mixings = new LinkedHashMap<>(knownMixings(file, context));
    Map<String, Object> perplexity = new LinkedHashMap<>();
    List<String> lines = new ArrayList<>();
    try (MemoryStudy study = new MemoryStudy(run, config, request.split(), context.console())) {
      for (MemoryKind kind : request.memories()) {
        String name = kind.name().toLowerCase(Locale.ROOT);
        double value =
            kind == MemoryKind.NONE
                ? study.withoutMemory()
                : withMemory(study, kind, name, config, request.tune(), mixings);
        perplexity.put(name, value);
        lines.add(
            String.format(
                Locale.ROOT,
                "%-6s perplexity %9.3f%s",
                name,
                value,
                mixings.containsKey(name) ? "   " + mixings.get(name) : ""));
      }
      lines.add(
          String.format(
              Locale.ROOT,
              "%,d tokens of %s, %s, natural logarithm, per token",
              study.numPositions(),
              request.split(),
              study.cut()));
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("split", request.split());
    facts.put("perplexity", perplexity);
    facts.put("mixing", mixings);
    JsonFile.replace(context.storage(), file, facts);
    return Outcome.done(facts, lines);
  }

  private static double withMemory(
      MemoryStudy study,
      MemoryKind kind,
      String name,
      RunConfig config,
      boolean tune,
      Map<String, Object> mixings) {
    if (kind == MemoryKind.KNN) {
      MemoryStudy.Finding found = study.neighbors(NeighborSearch.Metric.SQUARED_L2);
      mixings.put(name, describe(found.mixing()));
      return found.perplexity();
    }
    int longTermItems = kind == MemoryKind.LONG ? config.evaluation().longTermItems() : 0;
    if (tune) {
      MemoryStudy.Finding found = study.tuned(longTermItems);
      mixings.put(name, describe(found.mixing()));
      return found.perplexity();
    }
    Mixing mixing =
        mixings.containsKey(name)
            ? parse(mixings.get(name))
            : Mixing.shared(config.export().temperature());
    return study.withMemory(longTermItems, mixing);
  }

  static Map<String, Object> describe(Mixing mixing) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("form", mixing.form().name().toLowerCase(Locale.ROOT));
    facts.put("temperature", mixing.temperature());
    facts.put("interpolation", mixing.interpolation());
    return facts;
  }

  private static Mixing parse(Object facts) {
    if (facts instanceof Map<?, ?> map
        && map.get("form") instanceof String form
        && map.get("temperature") instanceof Number temperature
        && map.get("interpolation") instanceof Number interpolation) {
      try {
        return new Mixing(
            Mixing.Form.valueOf(form.toUpperCase(Locale.ROOT)),
            temperature.doubleValue(),
            interpolation.doubleValue());
      } catch (IllegalArgumentException e) {
        throw new CorruptFileException(FILE + " holds an impossible mixing: " + facts, e);
      }
    }
    throw new CorruptFileException(
        FILE + " holds a mixing without form, temperature and interpolation: " + facts);
  }

  private static Map<String, Object> knownMixings(Path file, RunContext context) {
    if (!context.storage().exists(file)) {
      return Map.of();
    }
    Map<String, Object> known = new LinkedHashMap<>();
    if (JsonFile.read(context.storage(), file).get("mixing") instanceof Map<?, ?> mixings) {
      mixings.forEach((name, value) -> known.put(String.valueOf(name), value));
      return known;
    }
    throw new ConfigException(
        file + " was not written by lathe evaluate: it has no 'mixing'. Delete it and tune again.");
  }
}
