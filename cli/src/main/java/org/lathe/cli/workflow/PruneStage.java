package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.RunConfig;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.IoGuard;
import org.lathe.training.loop.Trainer;
import org.lathe.training.loop.Validation;

/**
 * One stage of pruning, with checkpoints of its own, of whatever kind of model.
 *
 * @param directory of the stage's checkpoints and metrics
 * @param label for people
 */
record PruneStage(Path directory, String label, long steps) {

  /**
   * Trains, from the stage's newest checkpoint on where there is one.
   *
   * @param validation null = none
   * @return whether it reached its end
   */
  <B> boolean run(
      Trainer<B> trainer,
      StepBatches<B> batches,
      @Nullable Validation<B> validation,
      String hash,
      RunConfig config,
      StopSignals stop,
      RunContext context) {
    IoGuard.run(
        context.storage(),
        "create",
        directory,
        () -> context.storage().createDirectories(directory));
    CheckpointStore store =
        new CheckpointStore(context.storage(), directory, config.training().keepCheckpoints());
    if (trainer.resume(store, hash)) {
      context.console().note("resuming " + label + " at step " + trainer.step());
    }
    try (RunRecorder recorder =
        new RunRecorder(
            context.storage(),
            directory,
            trainer.step(),
            context.console().progress(label, steps))) {
      return trainer.run(batches, validation, store, hash, recorder, stop) == Trainer.Ending.DONE;
    }
  }
}
