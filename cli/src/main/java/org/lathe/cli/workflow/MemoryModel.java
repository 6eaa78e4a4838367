package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.evaluation.NextToken;
import org.lathe.training.evaluation.NextTokenMemory;
import org.lathe.training.evaluation.NextTokenScorer;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;
import org.lathe.training.weights.ModelFingerprint;

/**
 * A run's model with its memories, asked for one token after the other. Without a store: the local
 * memory that an export of the run has. With one: local memory and the store, mixed as the last
 * {@code lathe evaluate RUN --memory external --tune} found best.
 */
final class MemoryModel implements AutoCloseable {
  /** Weight of P' in kNN-LM as published, with squared distances at temperature 1. */
  private static final double PUBLISHED_INTERPOLATION = 0.25;

  private static final String EXTERNAL = "external";

  private final NextTokenScorer scorer;
  private final MemoryMixing mixing;
  private final NextTokenMemory memory;
  private final @Nullable StoreDirectory store;
  private final @Nullable ExternalMemory external;

  private MemoryModel(
      NextTokenScorer scorer,
      MemoryMixing mixing,
      NextTokenMemory memory,
      @Nullable StoreDirectory store,
      @Nullable ExternalMemory external) {
    this.scorer = scorer;
    this.mixing = mixing;
    this.memory = memory;
    this.store = store;
    this.external = external;
  }

  /**
   * With the run's newest weights.
   *
   * @param storePath of an external memory that was built from this run
   * @throws org.lathe.graphs.errors.GraphMismatchException when another model made its keys
   */
  static MemoryModel open(
      RunDirectory run, RunConfig config, Optional<Path> storePath, Console console) {
    Weights weights = run.modelWeights();
    MemoryConfig trained = run.record().memory();
    MemoryMixing mixing =
        storePath.isPresent()
            ? retrieving(run, console)
            : local(trained, config.export().temperature());
    @Nullable StoreDirectory store = null;
    @Nullable ExternalMemory external = null;
    try {
      if (storePath.isPresent()) {
        store =
            new StoreDirectory(
                run.storage(),
                storePath.get(),
                ModelFingerprint.of(run.record().model(), weights),
                run.path().toString(),
                config.evaluation(),
                NeighborSearch.Metric.of(trained.objective()),
                config.threads(),
                console);
        external = store.open(config.evaluation().neighbors(), 1, config.evaluation().index());
      }
      return new MemoryModel(
          new NextTokenScorer(
              run.record().model(), weights, run.path().toString(), config.threads()),
          mixing,
          new NextTokenMemory(
              trained.scoreScale(), mixing, external, config.evaluation().neighbors()),
          store,
          external);
    } catch (RuntimeException e) {
      close(store, external);
      throw e;
    }
  }

  /** As the run is exported: a model that knows nothing of memory gets none. */
  private static MemoryMixing local(MemoryConfig trained, double temperature) {
    return MemoryMixing.recentOnly(
        trained.objective() == MemoryObjective.NONE
            ? Mixing.linear(1, 0)
            : Mixing.shared(temperature));
  }

  private static MemoryMixing retrieving(RunDirectory run, Console console) {
    String tuning = "'lathe evaluate " + run.path() + " --memory external --store STORE --tune'";
    @Nullable MemoryMixing tuned =
        EvaluationFile.open(run.storage(), run.path(), Optional.empty()).mixing(EXTERNAL);
    if (tuned == null) {
      console.note(
          "the mixing of memories was never tuned for "
              + run.path()
              + ", so a published one is used; tune it with "
              + tuning);
      return published(run.record().memory());
    }
    if (!tuned.external().shared() && tuned.external().interpolation().constantWeight() == 0) {
      console.note(
          "the mixing that was tuned for "
              + run.path()
              + " gives a store no weight; tune it for this one with "
              + tuning);
    }
    return tuned;
  }

  /**
   * What the papers report: TRIME's for a model that was trained with memory, else kNN-LM's exp(-|q
   * - k|^2), which in units of s is the temperature scale / 2.
   */
  static MemoryMixing published(MemoryConfig trained) {
    return trained.objective() == MemoryObjective.NONE
        ? MemoryMixing.externalOnly(trained.scoreScale() / 2, PUBLISHED_INTERPOLATION)
        : MemoryMixing.PUBLISHED;
  }

  /** What comes after these tokens, all of which the model reads. */
  NextToken after(int[] tokens) {
    return memory.after(tokens, scorer.score(tokens));
  }

  MemoryMixing mixing() {
    return mixing;
  }

  /** Whether memory has any weight. */
  boolean remembers() {
    return external != null || mixing.recent().form() == Mixing.Form.SHARED;
  }

  /** The store; null = local memory only. */
  @Nullable ExternalMemory external() {
    return external;
  }

  private static void close(@Nullable StoreDirectory store, @Nullable ExternalMemory external) {
    if (external != null) {
      external.close();
    }
    if (store != null) {
      store.close();
    }
  }

  @Override
  public void close() {
    scorer.close();
    close(store, external);
  }
}
