package org.lathe.cli.workflow;

import com.google.common.base.Suppliers;
import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.EvaluationSection.IndexKind;
import org.lathe.cli.config.RecurrenceSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.training.data.PreparedData;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.evaluation.CachedNeighbors;
import org.lathe.training.evaluation.FrequencyBuckets;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.OwnPositions;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.evaluation.TextScorer;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.MixingTuner.Family;
import org.lathe.training.weights.ModelFingerprint;

/**
 * One model on one text with every memory that can be joined to it. The same steps serve the
 * continuous cache and kNN-LM of a vanilla model and the memories of a TRIME model: what differs is
 * how the model was trained. Temperatures and interpolations are chosen on the validation text.
 */
final class MemoryStudy implements AutoCloseable {
  private static final ImmutableList<Family> ALL_FAMILIES = ImmutableList.copyOf(Family.values());

  private final TextScorer scorer;
  private final String cut;
  private final SlidingWindows protocol;
  private final EvaluationSection settings;
  private final double scoreScale;
  private final int threads;
  private final Progress progress;
  private final PreparedData ownData;
  private final PreparedData data;
  private final TokenFile file;
  private final Supplier<ScoredText> valid;
  private final ScoredText text;
  private final double scoringSeconds;
  private final Supplier<FrequencyBuckets> buckets;
  private final Supplier<KeyStore> trainingKeys;
  private final RunDirectory run;
  private final Console console;
  private final Map<NeighborSearch.Metric, StoreDirectory> stores = new LinkedHashMap<>();

  /** That of the last finding, which may still be asked of its items. */
  private @Nullable ExternalMemory lastMemory;

  /**
   * What one memory is worth.
   *
   * @param measured position by position
   * @param mixing how memory was mixed in; null without memory
   * @param seconds scoring, searching and mixing of the measured text took
   * @param recent local and long-term memory; null = none
   * @param retrieval null = none
   */
  record Finding(
      MemoryEvaluation.Measured measured,
      @Nullable MemoryMixing mixing,
      double seconds,
      @Nullable MemoryScan recent,
      @Nullable Retrieval retrieval) {
    double perplexity() {
      return measured.perplexity();
    }

    /** What it was measured with; null without memory. */
    @Nullable TunedMemory tuned() {
      if (mixing == null) {
        return null;
      }
      return retrieval == null
          ? TunedMemory.of(mixing)
          : new TunedMemory(mixing, retrieval.policy());
    }

    /** Of the softmax with recent memory. */
    double temperature() {
      return mixing == null ? 1 : mixing.recent().temperature();
    }
  }

  /** What was retrieved for the measured text, and from where; open until the next retrieval. */
  record Retrieval(CachedNeighbors neighbors, ExternalMemory memory, SearchPolicy policy) {}

  /** On the run's own data. */
  MemoryStudy(RunDirectory run, RunConfig config, String split, Console console) {
    this(run, config, split, Optional.empty(), console);
  }

  /**
   * @param split train, valid or test
   * @param otherData to measure on in place of the run's own; closed with this
   */
  MemoryStudy(
      RunDirectory run,
      RunConfig config,
      String split,
      Optional<PreparedData> otherData,
      Console console) {
    this.run = run;
    this.console = console;
    this.ownData = run.data();
    this.data = otherData.orElse(ownData);
    try {
      run.requireTokenizer(ownData, data);
    } catch (GraphMismatchException e) {
      close(data, ownData);
      throw e;
    }
    this.progress = new Progress(console);
    this.settings = config.evaluation();
    this.threads = config.threads();
    this.scoreScale = run.record().memory().scoreScale();
    this.protocol = new SlidingWindows(settings.window(), settings.stride());
    RecurrenceSection recurrence = RunScorer.recurrence(run, config);
    this.scorer = RunScorer.open(run, recurrence, threads);
    this.cut = RunScorer.describe(settings, recurrence);
    this.file = file(data, split);
    long start = System.nanoTime();
    this.text = score(file, settings.maxTokens());
    this.scoringSeconds = seconds(start);
    this.valid =
        split.equals("valid")
            ? () -> text
            : Suppliers.memoize(() -> score(data.valid(), settings.maxTokens()));
    this.buckets = Suppliers.memoize(() -> FrequencyBuckets.of(ownData.train()));
    this.trainingKeys =
        Suppliers.memoize(
            () ->
                KeyStore.of(
                    score(ownData.train(), settings.storeTokens()), ownData.train()::documentAt));
  }

  /** How the text is cut, for a person. */
  String cut() {
    return cut;
  }

  private static TokenFile file(PreparedData data, String split) {
    return switch (split) {
      case "train" -> data.train();
      case "valid" -> data.valid();
      case "test" -> data.test();
      default ->
          throw new ConfigException(
              "split '" + split + "' does not exist; choose train, valid or test");
    };
  }

  private ScoredText score(TokenFile tokens, long maxTokens) {
    return scorer.score(read(tokens, maxTokens), protocol, progress);
  }

  private static int[] read(TokenFile tokens, long maxTokens) {
    long size = maxTokens == 0 ? tokens.size() : Math.min(maxTokens, tokens.size());
    int[] read = new int[Math.toIntExact(size)];
    tokens.read(0, read, 0, read.length);
    return read;
  }

  /** The work of this study on the measured text, to be done anew; of use until this is closed. */
  MemoryPass pass() {
    return new MemoryPass(scorer, protocol, read(file, settings.maxTokens()), scoreScale, settings);
  }

  ScoredText text() {
    return text;
  }

  TokenFile file() {
    return file;
  }

  PreparedData data() {
    return data;
  }

  Console console() {
    return console;
  }

  FrequencyBuckets buckets() {
    return buckets.get();
  }

  /** The same finding in bits per byte of text; empty where the tokenizer does not tell bytes. */
  OptionalDouble bitsPerByte(double perplexity) {
    OptionalLong numBytes = data.tokenizer().numBytes(text.targets());
    return numBytes.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(
            MemoryEvaluation.bitsPerByte(perplexity, text.numPositions(), numBytes.getAsLong()));
  }

  /** The vocabulary softmax alone. */
  Finding withoutMemory() {
    return new Finding(MemoryEvaluation.withoutMemory(text), null, scoringSeconds, null, null);
  }

  /** Local memory, and this many earlier positions of long-term memory, with this mixing. */
  Finding recent(int longTermItems, MemoryMixing mixing) {
    MemoryScan scan = scan(text, longTermItems);
    long start = System.nanoTime();
    MemoryEvaluation.Measured measured = MemoryEvaluation.measure(text, scan, null, mixing);
    return new Finding(measured, mixing, scoringSeconds + seconds(start), scan, null);
  }

  /** The same with the mixing of either form that is best on the validation text. */
  Finding tuned(int longTermItems) {
    return tuned(longTermItems, ImmutableList.of(Family.SHARED, Family.LINEAR));
  }

  /** The same in TRIME's own form, one softmax, with the best temperature. */
  Finding tunedShared(int longTermItems) {
    return tuned(longTermItems, ImmutableList.of(Family.SHARED));
  }

  private Finding tuned(int longTermItems, List<Family> families) {
    return recent(
        longTermItems,
        MemoryEvaluation.tune(valid.get(), scan(valid.get(), longTermItems), null, families)
            .mixing());
  }

  /**
   * Items of a store alone, by interpolation (kNN-LM).
   *
   * @param tuned before; null = tune
   */
  Finding neighbors(ExternalStores store, double fraction, @Nullable TunedMemory tuned) {
    return external(store, fraction, -1, tuned, ImmutableList.of(Family.LINEAR));
  }

  /**
   * Local memory, long-term memory and the items of a store together.
   *
   * @param tuned before; null = tune
   */
  Finding all(ExternalStores store, double fraction, @Nullable TunedMemory tuned) {
    return external(store, fraction, settings.longTermItems(), tuned, ALL_FAMILIES);
  }

  /** The run's own training text. */
  ExternalStores trainingText(MemoryKind kind) {
    return new TrainingTextStore(ownData.train(), trainingKeys, settings, metric(kind), threads);
  }

  /**
   * A store on disk.
   *
   * @throws GraphMismatchException when another model made its keys
   */
  ExternalStores storeDirectory(Path directory, MemoryKind kind) {
    return stores.computeIfAbsent(
        metric(kind),
        metric ->
            new StoreDirectory(
                run.storage(),
                directory,
                ModelFingerprint.of(run.record().model(), run.modelWeights()),
                run.path().toString(),
                settings,
                metric,
                threads,
                console));
  }

  private NeighborSearch.Metric metric(MemoryKind kind) {
    return kind.metric(run.record().memory());
  }

  /**
   * @param longTermItems negative = no recent memory at all
   */
  private Finding external(
      ExternalStores store,
      double fraction,
      int longTermItems,
      @Nullable TunedMemory given,
      List<Family> families) {
    @Nullable MemoryScan scan = longTermItems < 0 ? null : scan(text, longTermItems);
    OwnPositions own = own(store, file, text, scan);
    TunedMemory tuned =
        given == null ? tunedExternal(store, fraction, longTermItems, families) : given;
    closeLastMemory();
    ExternalMemory memory = open(store, fraction, own);
    lastMemory = memory;
    long start = System.nanoTime();
    CachedNeighbors neighbors = search(text, memory, own, tuned.search());
    MemoryEvaluation.Measured measured =
        MemoryEvaluation.measure(text, scan, neighbors, tuned.mixing());
    return new Finding(
        measured,
        tuned.mixing(),
        scoringSeconds + seconds(start),
        scan,
        new Retrieval(neighbors, memory, tuned.search()));
  }

  private TunedMemory tunedExternal(
      ExternalStores store, double fraction, int longTermItems, List<Family> families) {
    ScoredText validText = valid.get();
    @Nullable MemoryScan validScan = longTermItems < 0 ? null : scan(validText, longTermItems);
    OwnPositions validOwn = own(store, data.valid(), validText, validScan);
    SearchPolicy policy =
        SearchPolicy.skipping(settings.skipSearch(), validText.confidence(), settings.pointers());
    try (ExternalMemory memory = open(store, fraction, validOwn)) {
      CachedNeighbors neighbors = search(validText, memory, validOwn, policy);
      return new TunedMemory(
          MemoryEvaluation.tune(
                  validText, validScan, neighbors, families, settings.interpolation().feature())
              .mixing(),
          policy);
    }
  }

  private void closeLastMemory() {
    if (lastMemory != null) {
      lastMemory.close();
      lastMemory = null;
    }
  }

  private ExternalMemory open(ExternalStores store, double fraction, OwnPositions own) {
    return store.open(settings.neighbors() + own.margin(), fraction, settings.index());
  }

  /**
   * All of a store for passes over the measured text, searched in this way; the caller closes it.
   */
  ExternalMemory open(ExternalStores store, MemoryKind kind, IndexKind index) {
    @Nullable MemoryScan scan =
        kind == MemoryKind.KNN ? null : scan(text, settings.longTermItems());
    return store.open(settings.neighbors() + own(store, file, text, scan).margin(), 1, index);
  }

  private CachedNeighbors search(
      ScoredText queries, ExternalMemory memory, OwnPositions own, SearchPolicy policy) {
    return CachedNeighbors.search(
        queries, memory, scoreScale, settings.neighbors(), own, policy, progress);
  }

  /** What a text must not find of itself in a store. */
  private OwnPositions own(
      ExternalStores store, TokenFile tokens, ScoredText scored, @Nullable MemoryScan scan) {
    return store.holds(tokens)
        ? OwnPositions.of(scored, scan, settings.exclusionRadius())
        : OwnPositions.NONE;
  }

  private MemoryScan scan(ScoredText scored, int longTermItems) {
    return new MemoryScan(scored, scoreScale, longTermItems);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }

  private static void close(PreparedData data, PreparedData ownData) {
    ownData.close();
    if (!data.equals(ownData)) {
      data.close();
    }
  }

  @Override
  public void close() {
    closeLastMemory();
    stores.values().forEach(StoreDirectory::close);
    scorer.close();
    progress.close();
    close(data, ownData);
  }
}
