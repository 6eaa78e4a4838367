package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** The plan of another pruned run, such as {@code pruning.planFrom}. */
final class ReferencePlan {
  private ReferencePlan() {}

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
    PruningPlan plan =
        IoGuard.call(storage, "read", file, () -> PruningPlanFile.read(storage, file));
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

  private static String sizes(TransformerConfig config) {
    return config.numLayers()
        + " layers, hidden size "
        + config.hiddenSize()
        + " and blocks like "
        + config.blocks().get(0);
  }
}
