package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.progress.ProgressLine;
import org.lathe.pruning.importance.GradientRunner;
import org.lathe.pruning.importance.GradientSample;

/** Gate gradients of the teacher on the first training batches. */
final class ImportanceStage {
  private ImportanceStage() {}

  /** Null when a signal asked to stop; there is no checkpoint, the pass is short. */
  static @Nullable GradientSample run(TaskPruneSite site) {
    int numBatches = site.settings().importanceBatches();
    GradientSample sample = new GradientSample();
    try (GradientRunner runner =
            new GradientRunner(
                site.full(),
                site.head(),
                site.teacherWeights(),
                site.teacher().path().toString(),
                site.config().training().batchSize(),
                site.config().threads());
        ProgressLine progress =
            site.context().console().progress("scoring heads and units", numBatches)) {
      for (int i = 0; i < numBatches; i++) {
        if (site.stop().getAsBoolean()) {
          return null;
        }
        sample.add(runner, site.batches().at(i));
        progress.update(i + 1);
      }
    }
    return sample;
  }
}
