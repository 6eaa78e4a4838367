package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.config.TaskSection;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.evaluation.TaskScorer;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.files.RunLock;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.EncoderTask;
import org.lathe.training.loop.Trainer;
import org.lathe.training.pretrained.PretrainedEncoder;
import org.lathe.training.text.TokenizerDefinition;
import org.lathe.training.text.VocabularySelection;

/**
 * {@code lathe train} of an encoder for a task: a pretrained encoder and a new head learn from
 * labelled examples; the checkpoint that is best on the validation files is kept. The same command
 * resumes.
 */
final class TaskTrainWorkflow {
  private final RunConfig config;
  private final RunContext context;
  private final Path path;
  private final PretrainedEncoder pretrained;
  private final TaskFiles files;

  private TaskTrainWorkflow(
      RunConfig config,
      RunContext context,
      Path path,
      PretrainedEncoder pretrained,
      TaskFiles files) {
    this.config = config;
    this.context = context;
    this.path = path;
    this.pretrained = pretrained;
    this.files = files;
  }

  static Outcome run(TrainRequest request, RunContext context) {
    RunConfig config = request.config();
    TaskSection task = config.task();
    PretrainedEncoder pretrained =
        EncoderSource.read("task.pretrained", Path.of(task.pretrained()), context.storage());
    pretrained.notes().forEach(context.console()::note);
    String json = pretrained.tokenizerJson();
    if (json == null) {
      throw new ConfigException(
          "no tokenizer lies beside "
              + task.pretrained()
              + "; expected tokenizer.json or vocab.txt in its directory");
    }
    TokenizerDefinition definition = TokenizerDefinition.fromJson(json);
    if (task.minTokenCount() > 0) {
      VocabularySelection selection = tokensOf(task, definition, context);
      pretrained = pretrained.keeping(selection);
      definition = selection.definition();
    }
    try (TaskFiles files = TaskFiles.open(context, task, definition, List.of())) {
      return new TaskTrainWorkflow(config, context, request.run(), pretrained, files)
          .train(definition);
    }
  }

  /** The tokens that occur often enough in the training files. */
  private static VocabularySelection tokensOf(
      TaskSection task, TokenizerDefinition definition, RunContext context) {
    int[] counts = new int[definition.vocabularySize()];
    try (TaskFiles files = TaskFiles.open(context, task, definition, List.of())) {
      for (int[] row : files.read("train", task.train(), task.maxExamples()).rows().ids()) {
        for (int id : row) {
          counts[id]++;
        }
      }
    }
    BitSet wanted = new BitSet(counts.length);
    for (int id = 0; id < counts.length; id++) {
      wanted.set(id, counts[id] >= task.minTokenCount());
    }
    VocabularySelection selection = VocabularySelection.of(definition, wanted);
    context
        .console()
        .note(
            String.format(
                Locale.ROOT,
                "%,d of %,d tokens stay: %,d that occur %,d times or more in the training files,"
                    + " special tokens, and single characters",
                selection.size(),
                counts.length,
                wanted.cardinality(),
                task.minTokenCount()));
    return selection;
  }

  /** The head of a task on an encoder's family. */
  private static HeadConfig head(EncoderConfig encoder, TaskFiles files) {
    return switch (files.kind()) {
      case CLASSIFICATION -> HeadConfig.classifier(encoder, files.labels().size());
      case REGRESSION -> HeadConfig.classifier(encoder, 1);
      case SPAN -> HeadConfig.SPAN;
      case MASKED_LM -> HeadConfig.MASKED_LM;
    };
  }

  private Outcome train(TokenizerDefinition definition) {
    EncoderConfig encoder = encoder();
    HeadConfig head = head(encoder, files);
    TaskFiles.Split train = files.read("train", config.task().train(), config.task().maxExamples());
    TaskFiles.Split valid = files.read("valid", config.task().valid(), 0);
    EncoderTask task =
        new EncoderTask(
            encoder,
            head,
            config.task().freezeEmbeddings(),
            TaskConfigs.optimizer(config.training(), config.training().learningRate()),
            TaskConfigs.schedule(
                config.training(), config.training().warmupSteps(), config.training().steps()),
            config.training().clipNorm());
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(
            task, TaskConfigs.taskLoop(config, config.task(), config.training().steps()))) {
      trainer.startFrom(start(trainer.modelWeights(), head), config.task().pretrained());
      announce(trainer, train, valid);
      if (context.dryRun()) {
        return Outcome.done(
            Map.of("parameters", trainer.numParameters()),
            List.of("would train " + config.training().steps() + " steps"));
      }
      String dataSha256 = TaskFiles.sha256(context.storage(), config.task().train());
      String hash = RunDirectory.configHash(config, dataSha256, "");
      RunDirectory run =
          RunDirectory.startOrContinue(
              context.storage(),
              path,
              new RunRecord(
                  RunRecord.TRAINED,
                  RunConfigReader.toJson(config),
                  hash,
                  encoder.transformer(),
                  MemoryConfig.of(
                      MemoryConfig.MemoryObjective.NONE, encoder.transformer().hiddenSize()),
                  "",
                  dataSha256,
                  "",
                  new EncoderRecord(encoder, head, files.labels()),
                  RunDirectory.versions()));
      run.writeTokenizer(definition.json());
      return loop(trainer, train, valid, run, hash);
    }
  }

  /** The pretrained encoder with the dropout of this run. */
  private EncoderConfig encoder() {
    TransformerConfig transformer =
        pretrained
            .config()
            .transformer()
            .withDropout(config.model().dropout())
            .withInnerDropout(
                new TransformerConfig.InnerDropout(
                    config.model().attentionDropout(), config.model().activationDropout()));
    EncoderConfig encoder = pretrained.config().withTransformer(transformer);
    TaskConfigs.requireLength(config.task(), encoder, config.task().pretrained());
    return encoder;
  }

  /** The pretrained encoder with a head. */
  private Weights start(Weights own, HeadConfig head) {
    if (files.kind() == TaskKind.MASKED_LM && pretrained.maskedLm() == null) {
      context
          .console()
          .note(
              "the checkpoint has no masked-LM head; a new one starts from scratch on its token"
                  + " table");
    }
    return EncoderSource.into(own, pretrained, head);
  }

  private Outcome loop(
      Trainer<ExampleBatch> trainer,
      TaskFiles.Split train,
      TaskFiles.Split valid,
      RunDirectory run,
      String hash) {
    try (RunLock ignored = RunLock.acquire(context.storage(), path)) {
      CheckpointStore store = run.checkpoints();
      if (trainer.resume(store, hash)) {
        context.console().note("resuming " + path + " at step " + trainer.step());
      }
      StepBatches<ExampleBatch> batches =
          train.batches(config.training().batchSize(), config.seed());
      BestCheckpoint best = best(context.storage(), path, valid, hash);
      Trainer.Ending ending;
      try (RunRecorder recorder =
          new RunRecorder(
              context.storage(),
              path,
              trainer.step(),
              context.console().progress("training", config.training().steps()))) {
        ending = trainer.run(batches, best, store, hash, recorder, new StopSignals());
      }
      return outcome(trainer, best, ending);
    }
  }

  private BestCheckpoint best(Storage storage, Path directory, TaskFiles.Split valid, String hash) {
    TaskScorer scorer = new TaskScorer(files.metrics(), config.training().batchSize());
    return new BestCheckpoint(
        files.metrics(),
        trainer -> valid.score(scorer, files.kind(), trainer::outputs),
        new CheckpointStore(storage, directory.resolve(RunDirectory.BEST), 1),
        hash);
  }

  private Outcome outcome(
      Trainer<ExampleBatch> trainer, BestCheckpoint best, Trainer.Ending ending) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("run", path.toString());
    facts.put("step", trainer.step());
    facts.put("parameters", trainer.numParameters());
    if (ending == Trainer.Ending.STOPPED) {
      return Outcome.interrupted(
          facts,
          List.of(
              "stopped at step "
                  + trainer.step()
                  + " with a checkpoint; the same command continues"));
    }
    List<String> lines = new ArrayList<>();
    lines.add(path + ": trained " + trainer.step() + " steps");
    best.kept()
        .ifPresent(
            kept -> {
              facts.put("bestStep", kept.step());
              facts.put("valid", kept.state());
              lines.add(
                  "best on the validation files at step " + kept.step() + ": " + kept.state());
            });
    lines.add("next: lathe evaluate " + path + " --split valid");
    return Outcome.done(facts, lines);
  }

  private void announce(
      Trainer<ExampleBatch> trainer, TaskFiles.Split train, TaskFiles.Split valid) {
    double epochs =
        (double) config.training().steps()
            * config.training().batchSize()
            * config.training().accumulationSteps()
            / train.rows().size();
    context
        .console()
        .note(
            String.format(
                Locale.ROOT,
                "%,d parameters, %,d training and %,d validation rows, %,d steps of %d: %.1f epochs",
                trainer.numParameters(),
                train.rows().size(),
                valid.rows().size(),
                config.training().steps(),
                config.training().batchSize() * config.training().accumulationSteps(),
                epochs));
  }
}
