package org.lathe.cli.workflow;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.EvaluationSection.IndexKind;
import org.lathe.cli.config.RunConfig;
import org.lathe.export.latency.HardwareFile;
import org.lathe.export.latency.Samples;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.training.data.PreparedData;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.evaluation.CachedNeighbors;
import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.memory.MemoryMixing;

/**
 * {@code lathe benchmark memory}: tokens a second with each memory over those without, in one
 * process and in turns. A pass is the work of {@code lathe evaluate}: model, search, memory scan
 * and mixing; stores are open and indexes built before. One pass of each is not timed, but for an
 * exact search that takes more than half a minute: it is the measure of the index, not of speed,
 * and that pass is its only one. Mixings, and where the index is searched, are those that {@code
 * evaluate --tune} kept; the exact search is everywhere.
 */
final class BenchmarkMemoryWorkflow implements AutoCloseable {
  /** kNN-LM's weight on Wikitext-103 (Khandelwal et al. 2020), at its temperature. */
  private static final MemoryMixing UNTUNED_NEIGHBORS = MemoryMixing.externalOnly(1, 0.25);

  private static final double MS_PER_SECOND = 1e3;

  /** An exact search that takes longer is not run again. */
  private static final double SLOW_MS = 30_000;

  private final BenchmarkMemoryRequest request;
  private final RunConfig config;
  private final MemoryStudy study;
  private final boolean trainedWithMemory;
  private final EvaluationFile file;
  private final RunContext context;
  private final List<Mode> modes = new ArrayList<>();

  /** One way to score the text, and what its passes took. */
  private static final class Mode {
    final String name;
    final MemoryKind kind;
    final IndexKind index;
    final MemoryMixing mixing;
    final SearchPolicy policy;
    final boolean tuned;
    final @Nullable ExternalMemory memory;
    final boolean holdsText;

    final List<Double> totalMs = new ArrayList<>();
    final List<Double> scoringMs = new ArrayList<>();
    final List<Double> searchMs = new ArrayList<>();
    double perplexity;

    /** Part of the positions for which the store is searched. */
    double searchedShare = 1;

    /** Of the neighbours that the exact search finds; null = exact itself. */
    @Nullable Double recall;

    Mode(
        MemoryKind kind,
        IndexKind index,
        MemoryMixing mixing,
        SearchPolicy policy,
        boolean tuned,
        @Nullable ExternalMemory memory,
        boolean holdsText) {
      this.name = ConfigSchema.wordOf(kind) + (index == IndexKind.IVF ? "-ivf" : "");
      this.kind = kind;
      this.index = index;
      this.mixing = mixing;
      this.policy = policy;
      this.tuned = tuned;
      this.memory = memory;
      this.holdsText = holdsText;
    }

    void add(MemoryPass.Timed timed) {
      totalMs.add(timed.totalMs());
      scoringMs.add(timed.scoringMs());
      searchMs.add(timed.searchMs());
    }

    double logPerplexity() {
      return Math.log(perplexity);
    }

    MemoryPass.Timed run(MemoryPass pass) {
      return pass.run(kind, memory, holdsText, mixing, policy);
    }

    /** Whether its first pass was its only one. */
    boolean ran() {
      return !totalMs.isEmpty();
    }
  }

  private BenchmarkMemoryWorkflow(
      BenchmarkMemoryRequest request,
      RunConfig config,
      MemoryStudy study,
      boolean trainedWithMemory,
      RunContext context) {
    this.request = request;
    this.config = config;
    this.study = study;
    this.trainedWithMemory = trainedWithMemory;
    this.file = EvaluationFile.open(context.storage(), request.run(), request.data());
    this.context = context;
  }

  static Outcome run(BenchmarkMemoryRequest request, RunContext context) {
    RunDirectory run = RunDirectory.open(context.storage(), request.run());
    RunConfig config =
        run.config(request.overrides().with("evaluation.maxTokens=" + request.numTokens()));
    if (context.dryRun()) {
      return Outcome.done(
          Map.of(), List.of("would time " + request.repeats() + " passes of each memory in turns"));
    }
    Optional<PreparedData> data =
        request.data().map(directory -> PreparedData.open(context.storage(), directory));
    boolean trainedWithMemory = run.record().memory().objective() != MemoryObjective.NONE;
    try (MemoryStudy study =
            new MemoryStudy(run, config, request.split(), data, context.console());
        BenchmarkMemoryWorkflow workflow =
            new BenchmarkMemoryWorkflow(request, config, study, trainedWithMemory, context)) {
      return workflow.measure();
    }
  }

  private Outcome measure() {
    Set<MemoryKind> kinds = new LinkedHashSet<>();
    kinds.add(MemoryKind.NONE);
    kinds.addAll(request.memories());
    kinds.forEach(this::addModes);
    MemoryPass pass = study.pass();
    try (Progress progress = new Progress(context.console())) {
      warmUp(pass, progress);
      List<Mode> timed = modes.stream().filter(mode -> !mode.ran()).toList();
      for (int round = 0; round < request.repeats(); round++) {
        for (Mode mode : timed) {
          mode.add(mode.run(pass));
        }
        progress.progress("timing memories", round + 1, request.repeats());
      }
    }
    return outcome();
  }

  /** The pass of each that is not timed tells what it finds; only that is kept. */
  private void warmUp(MemoryPass pass, Progress progress) {
    @Nullable CachedNeighbors before = null;
    for (int i = 0; i < modes.size(); i++) {
      Mode mode = modes.get(i);
      MemoryPass.Timed timed = mode.run(pass);
      if (mode.memory != null && mode.index == IndexKind.EXACT && timed.totalMs() > SLOW_MS) {
        mode.add(timed);
      }
      mode.searchedShare = timed.neighbors() == null ? 1 : timed.neighbors().searchedShare();
      mode.perplexity = timed.measured().perplexity();
      CachedNeighbors found = timed.neighbors();
      if (mode.index == IndexKind.IVF && found != null && before != null) {
        mode.recall = found.recall(before);
      }
      before = found;
      progress.progress("warming up", i + 1, modes.size());
    }
  }

  private void addModes(MemoryKind kind) {
    @Nullable TunedMemory known = file.tuned(ConfigSchema.wordOf(kind));
    @Nullable TunedMemory tuned = kind.usesStore() ? EvaluateWorkflow.retrieving(known) : known;
    MemoryMixing mixing = tuned == null ? untuned(kind) : tuned.mixing();
    SearchPolicy policy = tuned == null ? SearchPolicy.EVERYWHERE : tuned.search();
    if (tuned == null && kind != MemoryKind.NONE) {
      context
          .console()
          .note(
              ConfigSchema.wordOf(kind)
                  + " was never tuned; speed does not depend on it, perplexity does");
    }
    if (!kind.usesStore()) {
      modes.add(new Mode(kind, IndexKind.EXACT, mixing, policy, tuned != null, null, false));
      return;
    }
    ExternalStores store =
        request.store().isPresent()
            ? study.storeDirectory(request.store().get(), kind)
            : study.trainingText(kind);
    boolean holdsText = store.holds(study.file());
    for (IndexKind index : List.of(IndexKind.EXACT, IndexKind.IVF)) {
      ExternalMemory memory = study.open(store, kind, index);
      SearchPolicy where = index == IndexKind.EXACT ? SearchPolicy.EVERYWHERE : policy;
      modes.add(new Mode(kind, index, mixing, where, tuned != null, memory, holdsText));
    }
  }

  private MemoryMixing untuned(MemoryKind kind) {
    return switch (kind) {
      case NONE, CACHE, LOCAL, LONG -> EvaluateWorkflow.untunedRecent(config);
      case KNN -> UNTUNED_NEIGHBORS;
      case EXTERNAL -> trainedWithMemory ? MemoryMixing.PUBLISHED : UNTUNED_NEIGHBORS;
    };
  }

  private Outcome outcome() {
    Map<String, Object> memories = new LinkedHashMap<>();
    List<String> lines = new ArrayList<>();
    for (Mode mode : modes) {
      Map<String, Object> facts = facts(mode);
      memories.put(mode.name, facts);
      lines.add(line(mode.name, facts));
    }
    int numPositions = study.text().numPositions();
    String hardware = HardwareFile.describe(context.storage(), config.threads());
    lines.add(
        String.format(
            Locale.ROOT,
            "%,d tokens of %s, %s, %d passes in turns, %s",
            numPositions,
            request.split(),
            study.cut(),
            request.repeats(),
            hardware));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("split", request.split());
    request.data().ifPresent(data -> facts.put("data", data.toString()));
    request.store().ifPresent(store -> facts.put("store", store.toString()));
    facts.put("tokens", numPositions);
    facts.put("repeats", request.repeats());
    facts.put("memories", memories);
    facts.put("hardware", hardware);
    return Outcome.done(facts, lines);
  }

  private Map<String, Object> facts(Mode mode) {
    Samples none = samples(modes.get(0).totalMs);
    Samples total = samples(mode.totalMs);
    double[] interval = Samples.ratioInterval(none, total);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("tokensPerSecond", study.text().numPositions() / total.median() * MS_PER_SECOND);
    facts.put("ratio", none.median() / total.median());
    facts.put("ratioLow", interval[0]);
    facts.put("ratioHigh", interval[1]);
    facts.put("totalMs", total.median());
    facts.put("scoringMs", samples(mode.scoringMs).median());
    facts.put("searchMs", samples(mode.searchMs).median());
    facts.put("perplexity", mode.perplexity);
    if (mode.kind != MemoryKind.NONE) {
      facts.put("tuned", mode.tuned);
      facts.put("mixing", MixingFacts.of(mode.mixing));
    }
    if (mode.memory != null) {
      facts.put("numItems", mode.memory.numItems());
      facts.put("neighbors", config.evaluation().neighbors());
      facts.put("searchedShare", mode.searchedShare);
      facts.put("passes", mode.totalMs.size());
      facts.put("bytesPerItem", mode.memory.bytesPerItem());
    }
    if (mode.index == IndexKind.IVF) {
      addApproximation(mode, facts);
    }
    return facts;
  }

  private static Samples samples(List<Double> values) {
    return new Samples(values.stream().mapToDouble(value -> value).toArray());
  }

  /** What the index lost: the exact search is the mode before it. */
  private void addApproximation(Mode mode, Map<String, Object> facts) {
    Mode exact = modes.get(modes.indexOf(mode) - 1);
    facts.put("probes", config.evaluation().probes());
    facts.put("encoding", config.evaluation().encoding().name());
    if (mode.recall != null) {
      facts.put("recallOfExact", mode.recall);
    }
    putGain("shareOfGain", modes.get(0), exact, mode, facts);
    modes.stream()
        .filter(other -> other.kind == MemoryKind.LONG && mode.kind == MemoryKind.EXTERNAL)
        .findFirst()
        .ifPresent(without -> putGain("shareOfGainOverLong", without, exact, mode, facts));
  }

  /**
   * (ln p_without - ln p_index) / (ln p_without - ln p_exact) of perplexities p; absent where the
   * exact search gains nothing.
   */
  private static void putGain(
      String name, Mode without, Mode exact, Mode index, Map<String, Object> facts) {
    double gain = without.logPerplexity() - exact.logPerplexity();
    if (gain > 0) {
      facts.put(name, (without.logPerplexity() - index.logPerplexity()) / gain);
    }
  }

  private static String line(String name, Map<String, Object> facts) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-12s", name));
    append(line, " %,8.0f tokens/s", facts.get("tokensPerSecond"));
    append(line, "   %.3f of none", facts.get("ratio"));
    append(line, " (95 %% interval %.3f", facts.get("ratioLow"));
    append(line, " to %.3f)", facts.get("ratioHigh"));
    append(line, "   perplexity %.3f", facts.get("perplexity"));
    append(line, "   %.1f bytes an item", facts.get("bytesPerItem"));
    append(line, "   recall of exact %.4f", facts.get("recallOfExact"));
    append(line, "   share of its gain %.4f", facts.get("shareOfGain"));
    append(line, ", over long %.4f", facts.get("shareOfGainOverLong"));
    return line.toString();
  }

  private static void append(StringBuilder line, String format, @Nullable Object value) {
    if (value != null) {
      line.append(String.format(Locale.ROOT, format, value));
    }
  }

  @Override
  public void close() {
    for (Mode mode : modes) {
      if (mode.memory != null) {
        mode.memory.close();
      }
    }
  }
}
