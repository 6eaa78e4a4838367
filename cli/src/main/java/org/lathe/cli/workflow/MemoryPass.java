package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.evaluation.CachedNeighbors;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.OwnPositions;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.evaluation.TextScorer;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;

/**
 * All of the work between a text's tokens and their probabilities with a memory, with nothing kept
 * from an earlier pass: what a benchmark times. Models, stores and indexes are open before.
 *
 * @param scorer of the model; closed by its owner
 * @param tokens of the text
 * @param scoreScale factor on inner products
 */
record MemoryPass(
    TextScorer scorer,
    SlidingWindows protocol,
    int[] tokens,
    double scoreScale,
    EvaluationSection settings) {
  private static final double MS_PER_NANO = 1e-6;

  /**
   * What a pass found, and where its time went.
   *
   * @param neighbors that were retrieved; null = none
   * @param scoringMs of the model
   * @param searchMs of the store: finding items and reading their values
   * @param totalMs of both, of local and long-term memory, and of mixing
   */
  record Timed(
      MemoryEvaluation.Measured measured,
      @Nullable CachedNeighbors neighbors,
      double scoringMs,
      double searchMs,
      double totalMs) {}

  /**
   * Does the work.
   *
   * @param memory open; null where the kind retrieves nothing
   * @param holdsText whether the memory was made of this very text
   * @param mixing not used by NONE
   * @param policy where a store is searched
   */
  Timed run(
      MemoryKind kind,
      @Nullable ExternalMemory memory,
      boolean holdsText,
      MemoryMixing mixing,
      SearchPolicy policy) {
    long start = System.nanoTime();
    ScoredText text = scorer.score(tokens, protocol, ProgressListener.NONE);
    double scoringMs = msSince(start);
    if (kind == MemoryKind.NONE) {
      return new Timed(MemoryEvaluation.withoutMemory(text), null, scoringMs, 0, msSince(start));
    }
    @Nullable MemoryScan recent =
        kind == MemoryKind.KNN ? null : new MemoryScan(text, scoreScale, longTermItems(kind));
    @Nullable CachedNeighbors neighbors = null;
    double searchMs = 0;
    if (memory != null) {
      long searchStart = System.nanoTime();
      OwnPositions own =
          holdsText ? OwnPositions.of(text, recent, settings.exclusionRadius()) : OwnPositions.NONE;
      neighbors =
          CachedNeighbors.search(
              text, memory, scoreScale, settings.neighbors(), own, policy, ProgressListener.NONE);
      searchMs = msSince(searchStart);
    }
    MemoryEvaluation.Measured measured = MemoryEvaluation.measure(text, recent, neighbors, mixing);
    return new Timed(measured, neighbors, scoringMs, searchMs, msSince(start));
  }

  private int longTermItems(MemoryKind kind) {
    return switch (kind) {
      case LONG, EXTERNAL -> settings.longTermItems();
      case NONE, CACHE, LOCAL, KNN -> 0;
    };
  }

  private static double msSince(long start) {
    return (System.nanoTime() - start) * MS_PER_NANO;
  }
}
