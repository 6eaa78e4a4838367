package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** Plans that were written before: by this run, or another such as {@code pruning.planFrom}. */
final class ReferencePlan {
  private ReferencePlan() {}

  /**
   * What a resumed run has settled on, or null before it has: scoring again with other threads, and
   * so another rounding, could choose other units than those that are being fine-tuned.
   */
  static @Nullable PruningPlan settled(TaskPruneSite site) {
    Path file = site.request().run().resolve(RunDirectory.PLAN_FILE);
    Storage storage = site.context().storage();
    return storage.exists(file) ? read(file, storage) : null;
  }

  /** Of {@code pruning.planFrom}. */
  static PruningPlan read(TaskPruneSite site) {
    return read(site.settings(), site.teacher(), site.context().storage());
  }

  /** The same. */
  static PruningPlan read(PruningSection settings, RunDirectory teacher, Storage storage) {
    return read("pruning.planFrom", Path.of(settings.planFrom()), teacher, storage);
  }

  /**
   * @param key that names the run
   * @throws ConfigException when there is none, or it is of a model of other sizes
   */
  static PruningPlan read(String key, Path run, RunDirectory teacher, Storage storage) {
    Path file = run.resolve(RunDirectory.PLAN_FILE);
    if (!storage.exists(file)) {
      throw new ConfigException(
          key
              + " is "
              + run
              + "; expected the directory of a pruned run, with a "
              + RunDirectory.PLAN_FILE);
    }
    PruningPlan plan = read(file, storage);
    TransformerConfig found = plan.config();
    TransformerConfig full = teacher.record().model();
    if (found.hiddenSize() != full.hiddenSize()
        || found.headSize() != full.headSize()
        || !found.blocks().equals(full.blocks())) {
      throw new ConfigException(
          key
              + " is "
              + run
              + ", whose teacher has "
              + sizes(found)
              + "; expected a run pruned from an encoder of the sizes of "
              + teacher.path()
              + ", "
              + sizes(full));
    }
    return plan;
  }

  private static PruningPlan read(Path file, Storage storage) {
    return IoGuard.call(storage, "read", file, () -> PruningPlanFile.read(storage, file));
  }

  private static String sizes(TransformerConfig config) {
    return config.numLayers()
        + " layers, hidden size "
        + config.hiddenSize()
        + " and blocks like "
        + config.blocks().get(0);
  }
}
