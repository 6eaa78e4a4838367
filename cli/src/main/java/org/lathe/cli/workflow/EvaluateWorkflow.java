package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.PreparedData;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.InterpolationBuckets.Feature;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/**
 * {@code lathe evaluate}: perplexity of a run's model with the memories asked for. Mixings tuned
 * with --tune are kept in the evaluation file and used again without it; memories with a store are
 * tuned when they never were.
 */
final class EvaluateWorkflow {
  private final EvaluateRequest request;
  private final RunConfig config;
  private final MemoryStudy study;
  private final EvaluationFile file;
  private final Map<String, Object> perplexity = new LinkedHashMap<>();
  private final Map<String, Object> bitsPerByte = new LinkedHashMap<>();
  private final Map<String, Object> details = new LinkedHashMap<>();
  private final List<String> lines = new ArrayList<>();
  private MemoryStudy.@Nullable Finding explained;

  private EvaluateWorkflow(
      EvaluateRequest request, RunConfig config, MemoryStudy study, EvaluationFile file) {
    this.request = request;
    this.config = config;
    this.study = study;
    this.file = file;
  }

  static Outcome run(EvaluateRequest request, RunContext context) {
    RunDirectory run = RunDirectory.open(context.storage(), request.run());
    EncoderRecord encoder = run.record().encoder();
    if (encoder != null) {
      return TaskEvaluateWorkflow.run(run, encoder, request, context);
    }
    if (request.served().isPresent()) {
      throw new ConfigException(
          run.path()
              + " is a language model, whose exported versions are compared with it by 'lathe"
              + " verify'; leave --served out");
    }
    RunConfig config = run.config(request.overrides());
    EvaluationFile file = EvaluationFile.open(context.storage(), request.run(), request.data());
    Optional<PreparedData> data =
        request.data().map(directory -> PreparedData.open(context.storage(), directory));
    try (MemoryStudy study =
        new MemoryStudy(run, config, request.split(), data, context.console())) {
      EvaluateWorkflow workflow = new EvaluateWorkflow(request, config, study, file);
      return context.dryRun() ? workflow.dryRun() : workflow.measure();
    }
  }

  /** Everything is opened that is there already, so that what does not fit is said. */
  private Outcome dryRun() {
    List<String> memories = new ArrayList<>();
    for (MemoryKind kind : request.memories()) {
      memories.add(ConfigSchema.wordOf(kind));
      if (kind.usesStore() && request.store().isPresent()) {
        store(kind);
      }
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("split", request.split());
    facts.put("memories", memories);
    facts.put("tokens", study.text().numPositions());
    return Outcome.done(
        facts,
        List.of(
            String.format(
                Locale.ROOT,
                "would score %,d tokens of %s, %s, with memory %s",
                study.text().numPositions(),
                request.split(),
                study.cut(),
                String.join(", ", memories))));
  }

  private Outcome measure() {
    for (MemoryKind kind : request.memories()) {
      for (double fraction : kind.usesStore() ? request.storeFractions() : List.of(1.0)) {
        String name = name(kind, fraction);
        MemoryStudy.Finding finding = finding(kind, name, fraction);
        TunedMemory tuned = finding.tuned();
        if (tuned != null) {
          file.put(slot(kind, name), tuned);
          explained = finding;
        }
        perplexity.put(name, finding.perplexity());
        study
            .bitsPerByte(finding.perplexity())
            .ifPresent(
                bits -> {
                  bitsPerByte.put(name, bits);
                  lines.add(String.format(Locale.ROOT, "%-8s %.4f bits per byte", name, bits));
                });
        details.put(name, EvaluationFacts.of(finding, study.text(), study.buckets()));
        lines.addAll(EvaluationFacts.lines(name, finding, study.text(), study.buckets()));
      }
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "%,d tokens of %s, %s, natural logarithm, per token",
            study.text().numPositions(),
            request.split(),
            study.cut()));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("split", request.split());
    request.data().map(Path::toString).ifPresent(data -> facts.put("data", data));
    request.store().map(Path::toString).ifPresent(store -> facts.put("store", store));
    facts.put("perplexity", perplexity);
    if (!bitsPerByte.isEmpty()) {
      facts.put("bitsPerByte", bitsPerByte);
    }
    facts.put("details", details);
    file.write(facts);
    MemoryMixing mixing = explained == null ? null : explained.mixing();
    if (request.numExplained() > 0 && explained != null && mixing != null) {
      Explanations explanations = Explanations.of(study, explained, mixing, request.numExplained());
      facts.put("explanations", explanations.facts());
      lines.addAll(explanations.lines());
    }
    return Outcome.done(facts, lines);
  }

  /** The kind, and the part of the store where it is not all: "external@10%". */
  private static String name(MemoryKind kind, double fraction) {
    String name = ConfigSchema.wordOf(kind);
    return fraction == 1 ? name : name + "@" + percent(fraction) + "%";
  }

  private static String percent(double fraction) {
    double percent = fraction * 100;
    return percent == Math.rint(percent)
        ? String.valueOf((long) percent)
        : String.valueOf(Math.round(percent * 1e4) / 1e4);
  }

  /**
   * Where in the evaluation file a memory's mixing is kept. What was tuned for one way to retrieve
   * does not suit another: "external+confidence+skip 0.5+pointers".
   */
  private String slot(MemoryKind kind, String name) {
    EvaluationSection settings = config.evaluation();
    StringBuilder slot = new StringBuilder(name);
    if (kind.usesStore()) {
      Feature feature = settings.interpolation().feature();
      if (feature != Feature.CONSTANT) {
        slot.append('+').append(ConfigSchema.wordOf(feature));
      }
      if (settings.skipSearch() > 0) {
        slot.append("+skip ").append(settings.skipSearch());
      }
      if (settings.pointers()) {
        slot.append("+pointers");
      }
    }
    return slot.toString();
  }

  private MemoryStudy.Finding finding(MemoryKind kind, String name, double fraction) {
    @Nullable TunedMemory known = request.tune() ? null : file.tuned(slot(kind, name));
    return switch (kind) {
      case NONE -> study.withoutMemory();
      case CACHE, LOCAL -> recent(0, known);
      case LONG -> recent(config.evaluation().longTermItems(), known);
      case KNN -> study.neighbors(store(kind), fraction, retrieving(known));
      case EXTERNAL -> study.all(store(kind), fraction, retrieving(known));
    };
  }

  private MemoryStudy.Finding recent(int longTermItems, @Nullable TunedMemory known) {
    if (request.tune()) {
      return study.tuned(longTermItems);
    }
    return study.recent(longTermItems, known == null ? untunedRecent(config) : known.mixing());
  }

  /** Of local and long-term memory that was never tuned: as a model is exported. */
  static MemoryMixing untunedRecent(RunConfig config) {
    return MemoryMixing.recentOnly(Mixing.shared(config.export().temperature()));
  }

  /** Files of older versions hold mixings of kNN-LM that say nothing of retrieved items. */
  static @Nullable TunedMemory retrieving(@Nullable TunedMemory known) {
    return known == null || known.mixing().external().equals(ExternalMixing.NONE) ? null : known;
  }

  private ExternalStores store(MemoryKind kind) {
    return request.store().isPresent()
        ? study.storeDirectory(request.store().get(), kind)
        : study.trainingText(kind);
  }
}
