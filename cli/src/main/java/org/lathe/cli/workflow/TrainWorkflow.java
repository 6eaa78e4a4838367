package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Variable;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;
import org.lathe.training.batching.ConsecutiveBatches;
import org.lathe.training.batching.RandomBatches;
import org.lathe.training.batching.SimilarBatches;
import org.lathe.training.batching.StreamBatches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.data.PreparedData;
import org.lathe.training.data.TokenFile;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.RunLock;
import org.lathe.training.loop.Trainer;
import org.lathe.training.loop.Validation;
import org.lathe.training.similarity.SegmentOrder;
import org.lathe.training.similarity.SegmentOrderFile;

/** {@code lathe train}: a language model, with or without memory; the same command resumes. */
final class TrainWorkflow {
  /** Validation during training looks at this many batches; evaluate looks at the whole split. */
  private static final int MAX_VALIDATION_BATCHES = 16;

  private static final String SIMILAR_SEGMENTS_FILE = "similar-segments.order";

  private static final int BYTES_PER_FLOAT = 4;

  /** Value, gradient and two moments. */
  private static final int FLOATS_PER_PARAMETER = 4;

  private TrainWorkflow() {}

  static Outcome run(TrainRequest request, RunContext context) {
    RunConfig config = request.config();
    Path dataDirectory = Path.of(config.data().directory());
    try (PreparedData data = PreparedData.open(context.storage(), dataDirectory)) {
      TransformerConfig model = model(config, data);
      MemoryConfig memory = config.memory().toMemoryConfig(model.tapWidth());
      try (Trainer<Batch> trainer = trainer(config, data)) {
        announce(config, trainer, context);
        if (context.dryRun()) {
          return dryRun(config, trainer);
        }
        String hash = RunDirectory.configHash(config, data.train().sha256(), "");
        RunDirectory run =
            RunDirectory.startOrContinue(
                context.storage(),
                request.run(),
                new RunRecord(
                    RunRecord.TRAINED,
                    RunConfigReader.toJson(config),
                    hash,
                    model,
                    memory,
                    config.data().directory(),
                    data.train().sha256(),
                    "",
                    null,
                    RunDirectory.versions()));
        return loop(config, data, trainer, run, hash, context);
      }
    }
  }

  private static TransformerConfig model(RunConfig config, PreparedData data) {
    return config.toTransformerConfig(data.tokenizer().vocabularySize());
  }

  /** A trainer at step 0 for a configuration's model on this data. */
  static Trainer<Batch> trainer(RunConfig config, PreparedData data) {
    TransformerConfig model = model(config, data);
    return new Trainer<>(
        TaskConfigs.languageModel(config, model, config.memory().toMemoryConfig(model.tapWidth())),
        TaskConfigs.loop(config, config.training().steps()));
  }

  private static Outcome loop(
      RunConfig config,
      PreparedData data,
      Trainer<Batch> trainer,
      RunDirectory run,
      String hash,
      RunContext context) {
    try (RunLock ignored = RunLock.acquire(context.storage(), run.path())) {
      CheckpointStore store = run.checkpoints();
      if (trainer.resume(store, hash)) {
        context.console().note("resuming " + run.path() + " at step " + trainer.step());
      }
      Batches batches = batches(config, data.train(), run.path(), context);
      Trainer.Ending ending;
      try (RunRecorder recorder =
          new RunRecorder(
              context.storage(),
              run.path(),
              trainer.step(),
              context.console().progress("training", config.training().steps()))) {
        ending =
            trainer.run(
                batches,
                validation(config, data.valid()),
                store,
                hash,
                recorder,
                new StopSignals());
      }
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("run", run.path().toString());
      facts.put("step", trainer.step());
      facts.put("parameters", trainer.numParameters());
      if (batches instanceof SimilarBatches similar) {
        facts.put("similarityHitRate", similar.hitRate());
      }
      if (ending == Trainer.Ending.STOPPED) {
        return Outcome.interrupted(
            facts,
            ImmutableList.of(
                "stopped at step "
                    + trainer.step()
                    + " with a checkpoint; the same command continues"));
      }
      return Outcome.done(
          facts,
          ImmutableList.of(
              run.path() + ": trained " + trainer.step() + " steps",
              "next: lathe evaluate " + run.path() + " --split test --memory none,local --tune"));
    }
  }

  /** First lines of every training: what will be done, in numbers. */
  private static void announce(RunConfig config, Trainer<Batch> trainer, RunContext context) {
    context
        .console()
        .note(
            String.format(
                "%,d parameters, %,d tokens a step, %,d steps, memory %s%s%s",
                trainer.numParameters(),
                config.tokensPerStep(),
                config.training().steps(),
                ConfigSchema.wordOf(config.memory().objective()),
                config.memory().keySize() == 0
                    ? ""
                    : " with keys of " + config.memory().keySize() + " dimensions",
                config.recurrence().present()
                    ? ", " + config.recurrence().memoryLength() + " positions remembered"
                    : ""));
  }

  private static Outcome dryRun(RunConfig config, Trainer<Batch> trainer) {
    List<String> lines = new ArrayList<>();
    Map<String, Object> variables = new LinkedHashMap<>();
    for (Variable variable : trainer.catalog().all()) {
      variables.put(variable.name(), variable.shape().toString());
      lines.add(variable.toString());
    }
    long stateBytes = trainer.numParameters() * FLOATS_PER_PARAMETER * BYTES_PER_FLOAT;
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("parameters", trainer.numParameters());
    facts.put("tokensPerStep", config.tokensPerStep());
    facts.put("stateBytes", stateBytes);
    facts.put("variables", variables);
    lines.add(
        String.format(
            "%,d parameters; values, gradients and moments take %,d bytes",
            trainer.numParameters(), stateBytes));
    return Outcome.done(facts, lines);
  }

  /**
   * A recurrent model reads streams; CONSECUTIVE training walks the text in groups of segments,
   * EXTERNAL training joins similar segments; the others shuffle segments.
   *
   * @param run where the order of similar segments is kept
   */
  static Batches batches(RunConfig config, TokenFile tokens, Path run, RunContext context) {
    int batchSize = config.training().batchSize();
    int length = config.training().segmentLength();
    if (config.recurrence().present()) {
      return new StreamBatches(tokens, batchSize, length, config.seed());
    }
    int group =
        config.memory().segmentsPerGroup() == 0 ? batchSize : config.memory().segmentsPerGroup();
    return switch (config.memory().objective()) {
      case NONE, LOCAL -> new RandomBatches(tokens, batchSize, length, config.seed());
      case CONSECUTIVE -> new ConsecutiveBatches(tokens, batchSize, length, group, config.seed());
      case EXTERNAL ->
          new SimilarBatches(
              tokens,
              similarSegments(config, tokens, run, context),
              batchSize,
              length,
              group,
              config.seed());
    };
  }

  /** Read from the run, or searched for and kept there. */
  private static SegmentOrder similarSegments(
      RunConfig config, TokenFile tokens, Path run, RunContext context) {
    // A stage of pruning has no directory before its first batch.
    IoGuard.run(context.storage(), "create", run, () -> context.storage().createDirectories(run));
    try (Progress progress = new Progress(context.console())) {
      SegmentOrder order =
          SegmentOrderFile.readOrSearch(
              context.storage(),
              run.resolve(SIMILAR_SEGMENTS_FILE),
              tokens,
              config.training().segmentLength(),
              config.memory().similarity().toSimilarityConfig(),
              config.seed(),
              config.threads(),
              progress);
      progress.close();
      context
          .console()
          .note(
              String.format(
                  Locale.ROOT,
                  "%,d segments in order of similarity, hit rate %.3f",
                  order.segments().length,
                  order.hitRate()));
      return order;
    }
  }

  /** The first consecutive batches of the validation tokens, always the same ones. */
  static Validation<Batch> validation(RunConfig config, TokenFile tokens) {
    int batchSize = config.training().batchSize();
    int length = config.training().segmentLength();
    Batches batches =
        config.recurrence().present()
            ? new StreamBatches(tokens, batchSize, length, 0)
            : new ConsecutiveBatches(tokens, batchSize, length, batchSize, 0);
    long count = Math.min(MAX_VALIDATION_BATCHES, batches.batchesPerEpoch());
    List<Batch> chosen = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      chosen.add(batches.at(i));
    }
    return Validation.loss(chosen);
  }
}
