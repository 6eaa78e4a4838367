package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.config.TaskSection;
import org.lathe.export.latency.SublayerBench;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.methods.CofiTask;
import org.lathe.pruning.methods.DistillationPair;
import org.lathe.pruning.methods.EncoderPair;
import org.lathe.pruning.methods.FineTuneTask;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.evaluation.TaskScorer;
import org.lathe.training.examples.BatchLength;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.ExampleBatches;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.RunLock;
import org.lathe.training.loop.Trainer;
import org.lathe.training.text.TokenizerDefinition;

/**
 * {@code lathe prune} of an encoder with a task (CoFi): gates are learned beside the fine-tuned
 * teacher (RUN/pruning), become a plan (RUN/plan.json), the model is sliced and goes on learning
 * from its teacher (RUN), and the best on the validation files is kept (RUN/best). The student
 * starts as its teacher. The same command resumes at whatever stage it stopped.
 */
final class TaskPruneWorkflow implements AutoCloseable {
  private final PruneRequest request;
  private final RunContext context;
  private final RunConfig config;
  private final PruningSection settings;
  private final RunDirectory teacher;
  private final EncoderConfig full;
  private final HeadConfig head;
  private final Weights teacherWeights;
  private final TaskSection task;
  private final TokenizerDefinition tokenizer;
  private final TaskFiles files;
  private final StopSignals stop = new StopSignals();

  private TaskPruneWorkflow(
      PruneRequest request, RunContext context, RunDirectory teacher, EncoderRecord encoder) {
    this.request = request;
    this.context = context;
    this.config = request.config();
    this.settings = config.pruning();
    this.teacher = teacher;
    this.full = encoder.config();
    this.head = encoder.head();
    this.teacherWeights = teacher.encoderWeights(head);
    this.task = config.task().usesEncoder() ? config.task() : teacher.config(Overrides.NONE).task();
    this.tokenizer = TokenizerDefinition.fromJson(teacher.tokenizerJson());
    this.files = TaskFiles.open(context.storage(), task, tokenizer, encoder.labels());
  }

  static Outcome run(
      PruneRequest request, RunContext context, RunDirectory teacher, EncoderRecord encoder) {
    if (context.dryRun()) {
      return PruneFacts.dryRun(request, encoder.config().transformer());
    }
    try (RunLock lock = RunLock.acquire(context.storage(), request.run());
        TaskPruneWorkflow workflow = new TaskPruneWorkflow(request, context, teacher, encoder)) {
      context.console().note("pruning " + request.teacher() + " into " + request.run());
      return workflow.stages();
    }
  }

  private Outcome stages() {
    TaskFiles.Split train = files.read("train", task.train(), task.maxExamples());
    TaskFiles.Split valid = files.read("valid", task.valid(), 0);
    String hash =
        RunDirectory.configHash(
            config, teacher.record().dataSha256(), teacher.record().configHash());
    TransformerConfig blocks = full.transformer();
    PruningTarget target =
        new LatencyTables(request.run(), config, context)
            .target(
                blocks,
                () ->
                    new SublayerBench(
                        full,
                        head,
                        LatencyTables.NUM_WARMUPS,
                        LatencyTables.NUM_RUNS,
                        config.threads()));
    ExampleBatches batches =
        new ExampleBatches(
            train.rows(), config.training().batchSize(), BatchLength.LONGEST, config.seed());
    Weights pruned = pruningStage(target, batches, hash);
    if (pruned == null) {
      return PruneFacts.stopped(request);
    }
    GateValues gates =
        PlanSearch.meeting(target, GateLogits.from(blocks, pruned), settings.roundTo());
    PruningPlan plan = PruningPlan.from(blocks, gates);
    SlimEncoder slim = Slimmer.slim(full, head, pruned, plan);
    start(slim, plan, hash);
    return fineTuningStage(slim, pruned, plan, batches, valid, hash);
  }

  /** The record of the slim run, its plan and its tokenizer. */
  private void start(SlimEncoder slim, PruningPlan plan, String hash) {
    RunDirectory run =
        RunDirectory.startOrContinue(
            context.storage(),
            request.run(),
            new RunRecord(
                RunRecord.PRUNED,
                RunConfigReader.toJson(config),
                hash,
                slim.config().transformer(),
                teacher.record().memory(),
                "",
                teacher.record().dataSha256(),
                request.teacher().toString(),
                new EncoderRecord(slim.config(), head, files.labels()),
                RunDirectory.versions()));
    run.writeTokenizer(tokenizer.json());
    Path planFile = request.run().resolve("plan.json");
    IoGuard.run(
        context.storage(),
        "write",
        planFile,
        () -> PruningPlanFile.write(context.storage(), planFile, plan));
  }

  /** Gates and weights after the pruning stage, or null when stopped. */
  private @Nullable Weights pruningStage(
      PruningTarget target, ExampleBatches batches, String hash) {
    CofiTask<ExampleBatch> cofi =
        new CofiTask<>(
            pair(full),
            full.transformer(),
            TaskConfigs.gates(settings),
            target,
            Math.round(settings.steps() * settings.rampFraction()),
            TaskConfigs.optimizer(config.training(), settings.learningRate()),
            TaskConfigs.schedule(config.training(), 0, settings.steps()),
            config.training().clipNorm());
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(cofi, TaskConfigs.taskLoop(config, task, settings.steps()))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacherWeights), teacher.path().toString());
      trainer.startFrom(teacherWeights, teacher.path().toString());
      Path directory = request.run().resolve("pruning");
      PruneStage stage = new PruneStage(directory, "pruning", settings.steps());
      return stage.run(trainer, batches::at, null, hash, config, stop, context)
          ? trainer.stateWeights()
          : null;
    }
  }

  private Outcome fineTuningStage(
      SlimEncoder slim,
      Weights pruned,
      PruningPlan plan,
      ExampleBatches batches,
      TaskFiles.Split valid,
      String hash) {
    FineTuneTask<ExampleBatch> fineTuning =
        new FineTuneTask<>(
            pair(slim.config()),
            slim.config().transformer(),
            TaskConfigs.optimizer(config.training(), settings.finetuneLearningRate()),
            TaskConfigs.schedule(
                config.training(),
                PruneFacts.warmupSteps(settings.finetuneSteps()),
                settings.finetuneSteps()),
            config.training().clipNorm());
    TaskScorer scorer = new TaskScorer(files.metrics(), config.training().batchSize());
    BestCheckpoint best =
        new BestCheckpoint(
            files.metrics(),
            trainer -> valid.score(scorer, files.kind(), trainer::outputs),
            new CheckpointStore(context.storage(), request.run().resolve(RunDirectory.BEST), 1),
            hash);
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(fineTuning, TaskConfigs.taskLoop(config, task, settings.finetuneSteps()))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacherWeights), teacher.path().toString());
      trainer.startFrom(slim.weights(), request.run().toString());
      trainer.startAuxiliary(
          LayerDistillation.sliceProjection(pruned, plan.keptHidden()), request.run().toString());
      PruneStage stage = new PruneStage(request.run(), "fine-tuning", settings.finetuneSteps());
      if (!stage.run(trainer, batches::at, best, hash, config, stop, context)) {
        return PruneFacts.stopped(request);
      }
    }
    Map<String, Object> scores = new LinkedHashMap<>();
    best.kept().ifPresent(kept -> scores.put("valid", kept.state()));
    return PruneFacts.done(
        request,
        full.transformer(),
        slim.config().transformer(),
        scores,
        List.of("next: lathe export " + request.run() + " --out models/slim"));
  }

  private DistillationPair.Factory<ExampleBatch> pair(EncoderConfig student) {
    return EncoderPair.of(
        student, full, head, task.freezeEmbeddings(), TaskConfigs.distillation(settings));
  }

  @Override
  public void close() {
    files.close();
  }
}
