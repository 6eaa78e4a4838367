package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.RunConfig;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.weights.ModelFingerprint;

/**
 * How a served model asks a store: as {@code lathe evaluate RUN --memory external} with the same
 * configuration does, with the mixing that was tuned there. A served row has no long-term memory.
 */
final class RetrievalPlans {
  private RetrievalPlans() {}

  /**
   * @throws org.lathe.graphs.errors.GraphMismatchException when another model made the store
   * @throws org.lathe.graphs.errors.FailedException when it is empty
   */
  static StoreDirectory open(RunDirectory run, Path store, RunConfig config, RunContext context) {
    return new StoreDirectory(
        run.storage(),
        store,
        ModelFingerprint.of(run.record().model(), run.modelWeights()),
        run.path().toString(),
        config.evaluation(),
        MemoryKind.EXTERNAL.metric(run.record().memory()),
        config.threads(),
        context.console());
  }

  /** With all live items of the store. */
  static RetrievalPlan of(RunDirectory run, Path store, RunConfig config, RunContext context) {
    @Nullable MemoryMixing tuned = tuned(run);
    if (tuned == null) {
      context
          .console()
          .note(
              "no mixing was tuned for "
                  + run.path()
                  + ", defaults are exported; tune with 'lathe evaluate "
                  + run.path()
                  + " --memory external --store "
                  + store
                  + " --tune'");
    }
    try (StoreDirectory opened = open(run, store, config, context)) {
      return new RetrievalPlan(
          opened.toExport(),
          config.evaluation().neighbors(),
          config.evaluation().probes(),
          tuned == null
              ? RetrievalPlan.defaultMixing(run.record().memory(), config.export().temperature())
              : tuned,
          tuned != null);
    }
  }

  private static @Nullable MemoryMixing tuned(RunDirectory run) {
    @Nullable MemoryMixing mixing =
        EvaluationFile.open(run.storage(), run.path(), Optional.empty())
            .mixing(ConfigSchema.wordOf(MemoryKind.EXTERNAL));
    // files of older versions hold mixings that say nothing of retrieved items
    return mixing == null || mixing.external().equals(ExternalMixing.NONE) ? null : mixing;
  }
}
