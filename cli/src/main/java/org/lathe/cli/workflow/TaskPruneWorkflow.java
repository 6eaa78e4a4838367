package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.config.TaskSection;
import org.lathe.export.savedmodel.EncoderExportRequest;
import org.lathe.export.savedmodel.EncoderExporter;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.pruning.methods.FineTuneTask;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.evaluation.TaskScorer;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.files.RunLock;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.Trainer;
import org.lathe.training.text.TokenizerDefinition;

/**
 * {@code lathe prune} of an encoder with a task: a method, such as CoFi, chooses a structure beside
 * the fine-tuned teacher (RUN/pruning, RUN/plan.json), the model is sliced and goes on learning
 * from its teacher (RUN), and the best on the validation files is kept (RUN/best). The same command
 * resumes at whatever stage it stopped.
 */
final class TaskPruneWorkflow implements AutoCloseable {
  private final PruneRequest request;
  private final RunContext context;
  private final RunConfig config;
  private final PruningSection settings;
  private final RunDirectory teacher;
  private final EncoderConfig full;
  private final HeadConfig head;
  private final TokenizerDefinition tokenizer;
  private final TaskFiles files;

  private TaskPruneWorkflow(
      PruneRequest request, RunContext context, RunDirectory teacher, EncoderRecord encoder) {
    this.request = request;
    this.context = context;
    this.config = request.config();
    this.settings = config.pruning();
    this.teacher = teacher;
    this.full = encoder.config();
    this.head = encoder.head();
    this.tokenizer = TokenizerDefinition.fromJson(teacher.tokenizerJson());
    this.files = TaskFiles.open(context, config.task(), tokenizer, encoder.labels());
  }

  static Outcome run(
      PruneRequest asked, RunContext context, RunDirectory teacher, EncoderRecord encoder) {
    PruneRequest request = withTask(asked, teacher);
    requireFits(request.config(), teacher, encoder, context.storage());
    if (context.dryRun()) {
      return PruneFacts.dryRun(request, encoder.config().transformer());
    }
    try (RunLock lock = RunLock.acquire(context.storage(), request.run());
        TaskPruneWorkflow workflow = new TaskPruneWorkflow(request, context, teacher, encoder)) {
      context.console().note("pruning " + request.teacher() + " into " + request.run());
      return workflow.stages();
    }
  }

  /** The teacher's task, where the configuration has none of its own. */
  private static PruneRequest withTask(PruneRequest request, RunDirectory teacher) {
    if (request.config().task().usesEncoder()) {
      return request;
    }
    TaskSection task = teacher.config(Overrides.NONE).task();
    return new PruneRequest(request.config().withTask(task), request.run(), request.teacher());
  }

  private static void requireFits(
      RunConfig config, RunDirectory teacher, EncoderRecord encoder, Storage storage) {
    PruningSection settings = config.pruning();
    StructureMethod method = StructureMethod.of(settings.method());
    method.requirePossible(settings, teacher, storage);
    method.distillation(settings); // refuses one without weights
    if (TaskFiles.kind(config.task()) != encoder.kind()) {
      throw new ConfigException(
          "task.kind is "
              + ConfigSchema.wordOf(config.task().kind())
              + ", but "
              + teacher.path()
              + " was trained for "
              + TaskFiles.word(encoder.kind())
              + "; give the task section that it was trained with, or none");
    }
    TaskConfigs.requireLength(config.task(), encoder.config(), teacher.path().toString());
    if (encoder.kind() == TaskKind.MASKED_LM
        && method.followsTarget(settings)
        && settings.target().speedup() != null) {
      throw new ConfigException(
          "pruning.target.speedup is "
              + settings.target().speedup()
              + "; expected pruning.target.sparsity or pruning.target.parameters for "
              + teacher.path()
              + ", which has no task yet and so nothing that could be served and timed");
    }
  }

  private Outcome stages() {
    TaskSection task = config.task();
    TaskFiles.Split train = files.read("train", task.train(), task.maxExamples());
    TaskFiles.Split valid = files.read("valid", task.valid(), 0);
    // of the files that are learned from here, which need not be the teacher's
    String dataSha256 = TaskFiles.sha256(context.storage(), task.train());
    String hash = RunDirectory.configHash(config, dataSha256, teacher.record().configHash());
    PruningTarget target =
        StructureMethod.of(settings.method()).followsTarget(settings)
            ? target()
            : PruningTarget.sparsity(0);
    Weights teacherWeights = teacher.encoderWeights(head);
    TeacherFile.keepOrCompare(context.storage(), request.run(), teacher, teacherWeights);
    TaskPruneSite site =
        new TaskPruneSite(
            request,
            context,
            teacher,
            full,
            head,
            teacherWeights,
            train.batches(config.training().batchSize(), config.seed()),
            target,
            target,
            hash,
            new StopSignals());
    Candidate chosen =
        new SpeedupSearch(request.run(), config, context)
            .search(site.target(), full.transformer(), new Candidates(site));
    if (chosen == null) {
      return PruneFacts.stopped(request);
    }
    Candidate taught = taught(site, chosen);
    if (taught == null) {
      return PruneFacts.stopped(request);
    }
    start(taught.slim(), taught.choice().plan(), dataSha256, hash);
    return fineTuningStage(site, taught, valid);
  }

  private @Nullable Candidate taught(TaskPruneSite site, Candidate chosen) {
    SlimEncoder slim = chosen.slim();
    Weights weights =
        StructureMethod.of(settings.method()).teach(site, chosen.choice().plan(), slim.weights());
    return weights == null
        ? null
        : new Candidate(chosen.choice(), new SlimEncoder(slim.config(), slim.head(), weights));
  }

  /** A structure, and the model that it leaves. */
  private record Candidate(StructureMethod.Choice choice, SlimEncoder slim) {}

  private final class Candidates implements SpeedupSearch.Candidates<Candidate> {
    private final TaskPruneSite site;

    private Candidates(TaskPruneSite site) {
      this.site = site;
    }

    @Override
    public @Nullable Candidate choose(PruningTarget target) {
      StructureMethod.Choice choice =
          StructureMethod.of(settings.method()).choose(site.withTarget(target));
      return choice == null
          ? null
          : new Candidate(choice, Slimmer.slim(full, head, choice.weights(), choice.plan()));
    }

    @Override
    public TransformerConfig shape(Candidate candidate) {
      return candidate.slim().config().transformer();
    }

    @Override
    public Path publishFull(Path base) {
      return publish(full, site.teacherWeights(), base);
    }

    @Override
    public Path publishSlim(Candidate candidate, Path base) {
      return publish(candidate.slim().config(), candidate.slim().weights(), base);
    }

    private Path publish(EncoderConfig encoder, Weights weights, Path base) {
      return EncoderExporter.export(
              context.storage(),
              EncoderExportRequest.of(encoder, head, weights, base, 1, tokenizer.padId()))
          .directory();
    }
  }

  private PruningTarget target() {
    return new LatencyTables(request.run(), config, context)
        .target(
            full.transformer(), () -> LatencyMeasurement.timer(teacher.record(), config.threads()));
  }

  /** The record of the slim run, its plan and its tokenizer. */
  private void start(SlimEncoder slim, PruningPlan plan, String dataSha256, String hash) {
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
                dataSha256,
                request.teacher().toString(),
                new EncoderRecord(slim.config(), head, files.labels()),
                RunDirectory.versions()));
    run.writeTokenizer(tokenizer.json());
    run.writePlan(plan);
  }

  private Outcome fineTuningStage(TaskPruneSite site, Candidate chosen, TaskFiles.Split valid) {
    SlimEncoder slim = chosen.slim();
    StructureMethod.Choice choice = chosen.choice();
    FineTuneTask<ExampleBatch> fineTuning =
        new FineTuneTask<>(
            site.pair(slim.config()),
            slim.config().transformer(),
            TaskConfigs.optimizer(config.training(), settings.finetuneLearningRate()),
            TaskConfigs.schedule(
                config.training(),
                PruneFacts.warmupSteps(settings.finetuneSteps()),
                settings.finetuneSteps()),
            config.training().clipNorm(),
            choice.masks());
    TaskScorer scorer = new TaskScorer(files.metrics(), config.training().batchSize());
    BestCheckpoint best =
        new BestCheckpoint(
            files.metrics(),
            trainer -> valid.score(scorer, files.kind(), trainer::outputs),
            new CheckpointStore(context.storage(), request.run().resolve(RunDirectory.BEST), 1),
            site.hash());
    Map<String, Object> scores = new LinkedHashMap<>(SpeedupSearch.facts(request.run(), context));
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(
            fineTuning, TaskConfigs.taskLoop(config, config.task(), settings.finetuneSteps()))) {
      site.setTeacher(trainer);
      trainer.startFrom(slim.weights(), request.run().toString());
      trainer.startAuxiliary(
          LayerDistillation.startingProjection(
              choice.weights(), full.transformer().hiddenSize(), choice.plan().keptHidden()),
          request.run().toString());
      PruneStage stage = new PruneStage(request.run(), "fine-tuning", settings.finetuneSteps());
      if (!stage.run(trainer, site.batches(), best, site.hash(), config, site.stop(), context)) {
        return PruneFacts.stopped(request);
      }
      if (!choice.masks().isEmpty()) {
        PrunableKernels kernels = new PrunableKernels(slim.config().transformer(), Encoder.PREFIX);
        scores.put("zeroWeights", kernels.zeroShare(trainer.modelWeights()));
      }
    }
    best.kept().ifPresent(kept -> scores.put("valid", kept.state()));
    return PruneFacts.done(
        request,
        full.transformer(),
        slim.config().transformer(),
        scores,
        List.of(
            head.kind() == HeadConfig.Kind.MASKED_LM
                ? "next: lathe train CONFIG --set task.pretrained=" + request.run()
                : "next: lathe export " + request.run() + " --out models/slim"));
  }

  @Override
  public void close() {
    files.close();
  }
}
