package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.GateStart;
import org.lathe.pruning.importance.GradientSample;
import org.lathe.pruning.methods.CofiTask;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.Trainer;

/** Gates learned beside the teacher (Xia et al. 2022), with checkpoints in RUN/pruning. */
final class CofiMethod implements StructureMethod {

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    if (!settings.continueFrom().isBlank()) {
      requireTrained(Path.of(settings.continueFrom()), teacher, storage);
    }
  }

  @Override
  public @Nullable Choice choose(TaskPruneSite site) {
    Weights learned = learn(site);
    if (learned == null) {
      return null;
    }
    GateLogits logits = GateLogits.from(site.blocks(), learned);
    PruneFacts.tellUnsettled(site.asked(), logits, site.context().console());
    GateValues gates = PlanSearch.meeting(site.target(), logits, site.settings().roundTo());
    return new Choice(PruningPlan.from(site.blocks(), gates), learned);
  }

  private static @Nullable Weights learn(TaskPruneSite site) {
    PruningSection settings = site.settings();
    RunConfig config = site.config();
    Weights before = settings.continueFrom().isBlank() ? null : stateOf(site);
    CofiTask<ExampleBatch> cofi =
        new CofiTask<>(
            site.pair(site.full()),
            site.blocks(),
            TaskConfigs.gates(settings),
            site.target(),
            startReduction(site, before),
            Math.round(settings.steps() * settings.rampFraction()),
            TaskConfigs.optimizer(config.training(), settings.learningRate()),
            TaskConfigs.schedule(config.training(), 0, settings.steps()),
            config.training().clipNorm());
    return site.learn(cofi, (trainer, directory) -> start(trainer, site, before, directory));
  }

  /** All variables of the pruning stage that this one goes on from. */
  private static Weights stateOf(TaskPruneSite site) {
    Path run = Path.of(site.settings().continueFrom());
    TeacherFile.compare(site.context().storage(), run, site.teacher(), site.teacherWeights());
    CheckpointStore store =
        new CheckpointStore(site.context().storage(), run.resolve(RunDirectory.PRUNING), 1);
    CheckpointStore.Checkpoint last =
        store
            .latest()
            .orElseThrow(
                () ->
                    new ConfigException(
                        "pruning.continueFrom is "
                            + run
                            + "; expected the directory of a run that was pruned with method"
                            + " cofi"));
    return store.read(last, name -> true);
  }

  /** A plan was written, so that the stage came to its end; and it learned from this teacher. */
  private static void requireTrained(Path run, RunDirectory teacher, Storage storage) {
    if (!storage.exists(run.resolve(RunDirectory.PLAN_FILE))) {
      throw new ConfigException(
          "pruning.continueFrom is "
              + run
              + "; expected a pruned run whose gates are trained (it has no "
              + RunDirectory.PLAN_FILE
              + ")");
    }
    RunDirectory pruned = RunDirectory.open(storage, run);
    PruningSection.Method method = pruned.config(Overrides.NONE).pruning().method();
    if (method != PruningSection.Method.COFI) {
      throw new ConfigException(
          "pruning.continueFrom is "
              + run
              + ", which was pruned with method "
              + ConfigSchema.wordOf(method)
              + "; expected a run of method cofi, whose gates and weights go on");
    }
    Path before = Path.of(pruned.record().parent());
    if (!absolute(before).equals(absolute(teacher.path()))) {
      throw new ConfigException(
          "pruning.continueFrom is "
              + run
              + ", which was pruned from "
              + before
              + "; expected a run with the same --teacher, "
              + teacher.path());
    }
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  /** What the gates remove already, where the target starts to rise. */
  private static double startReduction(TaskPruneSite site, @Nullable Weights before) {
    if (before == null) {
      return site.settings().initialization() == PruningSection.Initialization.IMPORTANCE
          ? importanceReduction(site)
          : 0;
    }
    GateValues gates = GateValues.deterministic(GateLogits.from(site.blocks(), before));
    double reached = site.target().achieved(site.blocks(), ExpectedSizes.of(gates));
    return Math.max(0, Math.min(reached, site.target().reduction()));
  }

  private static double importanceReduction(TaskPruneSite site) {
    return site.settings().importanceStart() * site.target().reduction();
  }

  /** Of a new stage; one that resumes has all in its checkpoint. False when stopped. */
  private static boolean start(
      Trainer<ExampleBatch> trainer, TaskPruneSite site, @Nullable Weights before, Path directory) {
    if (new CheckpointStore(site.context().storage(), directory, 1).latest().isPresent()) {
      return true;
    }
    if (before != null) {
      trainer.startFromState(before, site.settings().continueFrom());
      return true;
    }
    if (site.settings().initialization() == PruningSection.Initialization.UNIFORM) {
      return true;
    }
    GradientSample sample = ImportanceStage.run(site);
    if (sample == null) {
      return false;
    }
    trainer.startGates(
        GateStart.at(
            sample.fisher(),
            site.target(),
            importanceReduction(site),
            site.blocks(),
            trainer.gateLogits(),
            site.settings().importanceSpread()),
        site.teacher().path().toString());
    return true;
  }
}
