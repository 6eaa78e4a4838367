package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Locale;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RecurrenceSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.PreparedData;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.evaluation.LanguageModelScorer;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.NeighborEvaluation;
import org.lathe.training.evaluation.RecurrentScorer;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.evaluation.TextScorer;
import org.lathe.training.memory.Mixing;
import org.lathe.training.memory.MixingTuner;

/**
 * One model on one text with every memory that can be joined to it. The same steps serve the
 * continuous cache of a vanilla model and the memory of a TRIME model: what differs is how the
 * model was trained. Temperature and interpolation are chosen on the validation text among both
 * forms of mixing.
 */
final class MemoryStudy implements AutoCloseable {
  private final TextScorer scorer;
  private final String cut;
  private final SlidingWindows protocol;
  private final EvaluationSection settings;
  private final double scoreScale;
  private final int threads;
  private final Progress progress;
  private final PreparedData data;
  private final ScoredText valid;
  private final ScoredText text;

  /** Perplexity a token, and how memory was mixed in. */
  record Finding(double perplexity, Mixing mixing) {}

  /**
   * @param split train, valid or test
   */
  MemoryStudy(RunDirectory run, RunConfig config, String split, Console console) {
    this.data = run.data();
    this.progress = new Progress(console);
    this.settings = config.evaluation();
    this.threads = config.threads();
    this.scoreScale = run.record().memory().scoreScale();
    this.protocol = new SlidingWindows(settings.window(), settings.stride());
    RecurrenceSection recurrence = recurrence(run, config);
    this.scorer = scorer(run, recurrence, threads);
    this.cut = describe(settings, recurrence);
    this.valid = score(data.valid(), settings.maxTokens());
    this.text = split.equals("valid") ? valid : score(file(data, split), settings.maxTokens());
  }

  /** The run's own memory, with what an evaluation may change of it. */
  private static RecurrenceSection recurrence(RunDirectory run, RunConfig config) {
    RecurrenceSection trained = run.config(Overrides.NONE).recurrence();
    RecurrenceSection wanted = config.recurrence();
    if (trained.memoryLength() != wanted.memoryLength()
        || trained.compression() != wanted.compression()
        || trained.rate() != wanted.rate()
        || trained.compressedLength() != wanted.compressedLength()) {
      throw new ConfigException(
          "recurrence.memoryLength, compression, rate and compressedLength of "
              + run.path()
              + " are those of its training; set recurrence.testMemoryLength or"
              + " recurrence.testCompressedLength to measure with another memory");
    }
    return wanted;
  }

  private static TextScorer scorer(RunDirectory run, RecurrenceSection recurrence, int threads) {
    String source = run.path().toString();
    return recurrence.present()
        ? new RecurrentScorer(
            run.record().model(), recurrence.toTestConfig(), run.modelWeights(), source, threads)
        : new LanguageModelScorer(run.record().model(), run.modelWeights(), source, threads);
  }

  private static String describe(EvaluationSection settings, RecurrenceSection recurrence) {
    if (!recurrence.present()) {
      return String.format(
          Locale.ROOT, "window %d, stride %d", settings.window(), settings.stride());
    }
    RecurrenceConfig memory = recurrence.toTestConfig();
    String remembered =
        String.format(
            Locale.ROOT,
            "segments of %d, %d positions remembered",
            settings.stride(),
            memory.memoryLength());
    return memory.compression().present()
        ? remembered + " and " + memory.compression().length() + " slots"
        : remembered;
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

  private ScoredText score(TokenFile file, long maxTokens) {
    long size = maxTokens == 0 ? file.size() : Math.min(maxTokens, file.size());
    int[] tokens = new int[Math.toIntExact(size)];
    file.read(0, tokens, 0, tokens.length);
    return scorer.score(tokens, protocol, progress);
  }

  int numPositions() {
    return text.numPositions();
  }

  /** The vocabulary softmax alone. */
  double withoutMemory() {
    return MemoryEvaluation.perplexity(text);
  }

  /** Local memory, and this many earlier positions of long-term memory, with this mixing. */
  double withMemory(int longTermItems, Mixing mixing) {
    return MemoryEvaluation.perplexity(text, scoreScale, longTermItems, mixing);
  }

  /** The same with the mixing of either form that is best on the validation text. */
  Finding tuned(int longTermItems) {
    List<Mixing> candidates =
        ImmutableList.<Mixing>builder()
            .addAll(MixingTuner.linearCandidates())
            .addAll(MixingTuner.sharedCandidates())
            .build();
    return tuned(longTermItems, candidates);
  }

  /** The same in TRIME's own form, one softmax, with the best temperature. */
  Finding tunedShared(int longTermItems) {
    return tuned(longTermItems, MixingTuner.sharedCandidates());
  }

  private Finding tuned(int longTermItems, List<Mixing> candidates) {
    Mixing best =
        MemoryEvaluation.tune(valid, scoreScale, longTermItems, candidates, valid.numPositions());
    return new Finding(withMemory(longTermItems, best), best);
  }

  /** kNN-LM over the training text, tuned on the validation text. */
  Finding neighbors(NeighborSearch.Metric metric) {
    ScoredText store = score(data.train(), settings.storeTokens());
    KeyStore keys = KeyStore.of(store);
    try (ExactSearch search =
        new ExactSearch(keys.keys(), keys.width(), settings.neighbors(), metric, threads)) {
      Mixing best =
          new NeighborEvaluation(valid, keys, search, scoreScale, progress)
              .tune(MixingTuner.linearCandidates());
      double perplexity =
          new NeighborEvaluation(text, keys, search, scoreScale, progress).perplexity(best);
      return new Finding(perplexity, best);
    }
  }

  @Override
  public void close() {
    scorer.close();
    progress.close();
    data.close();
  }
}
