package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.methods.CofiTask;
import org.lathe.pruning.methods.DecoderPair;
import org.lathe.pruning.methods.FineTuneTask;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimModel;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.batching.Batch;
import org.lathe.training.data.PreparedData;
import org.lathe.training.files.RunLock;
import org.lathe.training.loop.Trainer;

/**
 * {@code lathe prune}: measures a latency table, learns gates under it beside the teacher
 * (RUN/pruning), turns them into a plan (RUN/plan.json), slices, and fine-tunes the slim model
 * (RUN). The same command resumes at whatever stage it stopped.
 */
final class PruneWorkflow {
  private final PruneRequest request;
  private final RunContext context;
  private final RunConfig config;
  private final PruningSection settings;
  private final RunDirectory teacher;
  private final TransformerConfig full;
  private final Weights teacherWeights;
  private final PreparedData data;
  private final StopSignals stop = new StopSignals();

  /** The slim run, or nothing when a signal stopped it. */
  record Result(RunDirectory run, PruningPlan plan, PruningTarget target) {}

  private PruneWorkflow(
      PruneRequest request, RunContext context, RunDirectory teacher, PreparedData data) {
    this.request = request;
    this.context = context;
    this.config = request.config();
    this.settings = config.pruning();
    this.teacher = teacher;
    this.full = teacher.record().model();
    this.teacherWeights = teacher.modelWeights();
    this.data = data;
  }

  /**
   * The student has the positions of its teacher, its loss the teacher's memory, and so have the
   * batches that this memory is made of.
   *
   * @throws ConfigException when the rest of the configuration does not fit these
   */
  private static PruneRequest withModel(
      PruneRequest request, RunDirectory teacher, RunContext context) {
    RunConfig given = request.config();
    RunConfig taught = teacher.config(Overrides.NONE);
    if (taught.memory().objective() != given.memory().objective()) {
      context
          .console()
          .note(
              "the memory is the teacher's, memory.objective="
                  + ConfigSchema.wordOf(taught.memory().objective())
                  + ", in place of "
                  + ConfigSchema.wordOf(given.memory().objective()));
    }
    return new PruneRequest(
        given.withModel(taught.model(), taught.memory()), request.run(), request.teacher());
  }

  static Outcome run(PruneRequest request, RunContext context) {
    RunDirectory teacher = RunDirectory.open(context.storage(), request.teacher());
    EncoderRecord encoder = teacher.record().encoder();
    if (encoder != null) {
      return TaskPruneWorkflow.run(request, context, teacher, encoder);
    }
    requirePrunable(teacher, request.config());
    TransformerConfig before = teacher.record().model();
    if (context.dryRun()) {
      return PruneFacts.dryRun(withModel(request, teacher, context), before);
    }
    Optional<Result> result = prune(request, context);
    if (result.isEmpty()) {
      return PruneFacts.stopped(request);
    }
    return PruneFacts.done(
        request,
        before,
        result.get().plan().slimConfig(),
        SpeedupSearch.facts(request.run(), context),
        ImmutableList.of("next: lathe export " + request.run() + " --out models/slim"));
  }

  /** All stages; empty when a signal asked to stop. */
  static Optional<Result> prune(PruneRequest request, RunContext context) {
    RunDirectory teacher = RunDirectory.open(context.storage(), request.teacher());
    PruneRequest fitting = withModel(request, teacher, context);
    try (PreparedData data = teacher.data();
        RunLock lock = RunLock.acquire(context.storage(), request.run())) {
      context.console().note("pruning " + request.teacher() + " into " + request.run());
      return new PruneWorkflow(fitting, context, teacher, data).stages();
    }
  }

  private Optional<Result> stages() {
    String hash =
        RunDirectory.configHash(config, data.train().sha256(), teacher.record().configHash());
    PruningTarget target =
        new LatencyTables(request.run(), config, context)
            .target(full, () -> LatencyMeasurement.timer(teacher.record(), config.threads()));
    TeacherFile.keepOrCompare(context.storage(), request.run(), teacher, teacherWeights);
    Weights pruned = pruningStage(target, hash);
    if (pruned == null) {
      return Optional.empty();
    }
    PruneFacts.tellUnsettled(target, GateLogits.from(full, pruned), context.console());
    Candidate chosen =
        new SpeedupSearch(request.run(), config, context)
            .search(target, full, new Candidates(pruned));
    if (chosen == null) {
      return Optional.empty();
    }
    PruningPlan plan = chosen.plan();
    SlimModel slim = chosen.slim();
    RunDirectory run =
        RunDirectory.startOrContinue(
            context.storage(),
            request.run(),
            new RunRecord(
                RunRecord.PRUNED,
                RunConfigReader.toJson(config),
                hash,
                slim.config(),
                teacher.record().memory(),
                teacher.record().dataDirectory(),
                teacher.record().dataSha256(),
                request.teacher().toString(),
                null,
                RunDirectory.versions()));
    run.writePlan(plan);
    return fineTuningStage(slim, pruned, plan, run, hash)
        ? Optional.of(new Result(run, plan, target))
        : Optional.empty();
  }

  /** A structure, and the model that it leaves. */
  private record Candidate(PruningPlan plan, SlimModel slim) {}

  /** Structures that learned gates allow. */
  private final class Candidates implements SpeedupSearch.Candidates<Candidate> {
    private final Weights pruned;

    private Candidates(Weights pruned) {
      this.pruned = pruned;
    }

    @Override
    public Candidate choose(PruningTarget target) {
      GateValues gates =
          PlanSearch.meeting(target, GateLogits.from(full, pruned), settings.roundTo());
      PruningPlan plan = PruningPlan.from(full, gates);
      return new Candidate(
          plan, Slimmer.slim(full, pruned.startingWith(RunDirectory.MODEL_PREFIX), plan));
    }

    @Override
    public TransformerConfig shape(Candidate candidate) {
      return candidate.slim().config();
    }

    @Override
    public Path publishFull(Path base) {
      return publish(full, teacherWeights.startingWith(RunDirectory.MODEL_PREFIX), base);
    }

    @Override
    public Path publishSlim(Candidate candidate, Path base) {
      return publish(candidate.slim().config(), candidate.slim().weights(), base);
    }

    private Path publish(TransformerConfig model, Weights weights, Path base) {
      return LanguageModelExporter.export(
              context.storage(),
              org.lathe.export.savedmodel.ExportRequest.of(
                  model, teacher.record().memory(), weights, base, 1))
          .directory();
    }
  }

  /** Before minutes of timing; the gates and the slicing know one table of words. */
  private static void requirePrunable(RunDirectory teacher, RunConfig config) {
    teacher.requireNotRecurrent("pruned");
    PruningSection.Method method = config.pruning().method();
    if (method != PruningSection.Method.COFI) {
      throw new ConfigException(
          "pruning.method is "
              + ConfigSchema.wordOf(method)
              + ", which prunes encoders with a task; set pruning.method=cofi for the language"
              + " model "
              + teacher.path());
    }
    TaskConfigs.distillation(config.pruning()); // refuses one without weights
    if (config.recurrence().present()) {
      throw new ConfigException(
          "recurrence.memoryLength is "
              + config.recurrence().memoryLength()
              + "; expected 0 for pruning, which makes no recurrent model");
    }
    if (!config.pruning().continueFrom().isBlank()) {
      throw new ConfigException(
          "pruning.continueFrom is "
              + config.pruning().continueFrom()
              + "; expected it empty for a language model, only encoders with a task go on from a"
              + " run pruned less");
    }
    if (config.pruning().initialization() != PruningSection.Initialization.UNIFORM) {
      throw new ConfigException(
          "pruning.initialization is "
              + config.pruning().initialization()
              + "; expected uniform for a language model, only encoders with a task are scored");
    }
    if (teacher.record().model().adaptive() != null) {
      throw new ConfigException(
          teacher.path()
              + " has an adaptive vocabulary (model.cutoffs), which pruning cannot slice;"
              + " train a model with model.cutoffs=[] to prune it");
    }
  }

  /** Gates and weights after the pruning stage, or null when stopped. */
  private @Nullable Weights pruningStage(PruningTarget target, String hash) {
    CofiTask<Batch> task =
        new CofiTask<>(
            DecoderPair.of(
                full, full, teacher.record().memory(), TaskConfigs.distillation(settings)),
            full,
            TaskConfigs.gates(settings),
            target,
            0,
            Math.round(settings.steps() * settings.rampFraction()),
            TaskConfigs.optimizer(config.training(), settings.learningRate()),
            TaskConfigs.schedule(config.training(), 0, settings.steps()),
            config.training().clipNorm());
    Path directory = request.run().resolve(RunDirectory.PRUNING);
    try (Trainer<Batch> trainer = new Trainer<>(task, TaskConfigs.loop(config, settings.steps()))) {
      trainer.setTeacher(DecoderPair.teacherWeights(teacherWeights), teacher.path().toString());
      trainer.startFrom(teacherWeights, teacher.path().toString());
      return loop(trainer, directory, hash, "pruning", settings.steps())
          ? trainer.stateWeights()
          : null;
    }
  }

  private boolean fineTuningStage(
      SlimModel slim, Weights pruned, PruningPlan plan, RunDirectory run, String hash) {
    FineTuneTask<Batch> task =
        new FineTuneTask<>(
            DecoderPair.of(
                slim.config(), full, teacher.record().memory(), TaskConfigs.distillation(settings)),
            slim.config(),
            TaskConfigs.optimizer(config.training(), settings.finetuneLearningRate()),
            TaskConfigs.schedule(
                config.training(),
                PruneFacts.warmupSteps(settings.finetuneSteps()),
                settings.finetuneSteps()),
            config.training().clipNorm());
    try (Trainer<Batch> trainer =
        new Trainer<>(task, TaskConfigs.loop(config, settings.finetuneSteps()))) {
      trainer.setTeacher(DecoderPair.teacherWeights(teacherWeights), teacher.path().toString());
      Weights start = slim.weights();
      Weights projection = LayerDistillation.sliceProjection(pruned, plan.keptHidden());
      trainer.startFrom(start, run.path().toString());
      trainer.startAuxiliary(projection, run.path().toString());
      return loop(trainer, run.path(), hash, "fine-tuning", settings.finetuneSteps());
    }
  }

  /** Whether the loop reached its end. */
  private boolean loop(
      Trainer<Batch> trainer, Path directory, String hash, String label, long steps) {
    return new PruneStage(directory, label, steps)
        .run(
            trainer,
            TrainWorkflow.batches(config, data.train(), directory, context),
            TrainWorkflow.validation(config, data.valid()),
            hash,
            config,
            stop,
            context);
  }
}
