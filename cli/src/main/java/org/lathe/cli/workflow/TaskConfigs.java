package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableSet;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.TaskSection;
import org.lathe.cli.config.TrainingSection;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.distillation.Matching;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.InitialLogAlpha;
import org.lathe.pruning.methods.DistillationConfig;
import org.lathe.pruning.methods.GateConfig;
import org.lathe.training.batching.Batch;
import org.lathe.training.data.CorpusFormat;
import org.lathe.training.data.DataConfig;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.RecurrentTask;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;
import org.lathe.training.text.TokenizerKind;

/** From configuration sections to the records that the engines take. */
final class TaskConfigs {
  /** Adam's epsilon in all of Lathe's presets (PyTorch's default). */
  private static final double ADAM_EPSILON = 1e-8;

  private TaskConfigs() {}

  static DataConfig data(RunConfig config) {
    return new DataConfig(
        config.data().sources(),
        config.data().validSources(),
        config.data().testSources(),
        CorpusFormat.valueOf(config.data().format().name()),
        TokenizerKind.valueOf(config.data().tokenizer().name()),
        config.data().vocabularySize(),
        config.data().validFraction(),
        config.data().testFraction(),
        config.data().maxTokens());
  }

  /**
   * An encoder has positions for this much text.
   *
   * @param name of the encoder
   */
  static void requireLength(TaskSection task, EncoderConfig encoder, String name) {
    if (task.maxLength() > encoder.maxLength()) {
      throw new ConfigException(
          "task.maxLength is "
              + task.maxLength()
              + "; expected at most "
              + encoder.maxLength()
              + ", the positions of "
              + name);
    }
  }

  static OptimizerConfig optimizer(TrainingSection training, double learningRate) {
    return new OptimizerConfig(
        OptimizerConfig.Kind.valueOf(training.optimizer().name()),
        learningRate,
        training.beta1(),
        training.beta2(),
        ADAM_EPSILON,
        training.weightDecay(),
        training.momentum());
  }

  /** The run's own curve, stretched over this many steps. */
  static ScheduleConfig schedule(TrainingSection training, long warmupSteps, long steps) {
    return new ScheduleConfig(
        ScheduleConfig.Kind.valueOf(training.schedule().name()),
        Math.min(warmupSteps, steps),
        Math.max(1, steps), // none are asked for where there are none
        training.minimumRatio());
  }

  static TrainingTask<Batch> languageModel(
      RunConfig config, TransformerConfig model, MemoryConfig memory) {
    TrainingSection training = config.training();
    OptimizerConfig optimizer = optimizer(training, training.learningRate());
    ScheduleConfig schedule = schedule(training, training.warmupSteps(), training.steps());
    long warmupSteps = Math.round(training.steps() * training.warmupFraction());
    return config.recurrence().present()
        ? new RecurrentTask(
            model,
            config.recurrence().toRecurrenceConfig(),
            memory,
            optimizer,
            schedule,
            training.clipNorm(),
            warmupSteps)
        : new LanguageModelTask(
            model, memory, optimizer, schedule, training.clipNorm(), warmupSteps);
  }

  /**
   * @throws ConfigException when nothing is learned from; a stored configuration may say so that
   *     was never used
   */
  static DistillationConfig distillation(PruningSection settings) {
    PruningSection.Distillation given = settings.distillation();
    if (given.taskWeight() + given.layerWeight() + given.predictionWeight() == 0) {
      throw new ConfigException(
          "pruning.distillation is without any weight; expected"
              + " pruning.distillation.taskWeight, layerWeight or predictionWeight above 0");
    }
    return distillation(given, given.taskWeight(), given.predictionWeight(), given.layerWeight());
  }

  /** Temperature and matching as given, weights by the method. */
  static DistillationConfig distillation(
      PruningSection.Distillation given,
      double taskWeight,
      double predictionWeight,
      double layerWeight) {
    return new DistillationConfig(
        taskWeight,
        predictionWeight,
        layerWeight,
        given.temperature(),
        Matching.valueOf(given.matching().name()));
  }

  static GateConfig gates(PruningSection settings) {
    return new GateConfig(
        settings.gates().stream()
            .map(
                kind ->
                    switch (kind) {
                      case HEAD -> GateKind.HEADS;
                      case INTERMEDIATE -> GateKind.INTERMEDIATE;
                      case ATTENTION_LAYER -> GateKind.ATTENTION_LAYER;
                      case FEED_FORWARD_LAYER -> GateKind.FEED_FORWARD_LAYER;
                      case HIDDEN -> GateKind.HIDDEN;
                    })
            .collect(ImmutableSet.toImmutableSet()),
        new InitialLogAlpha(settings.initialLogAlpha(), settings.initialLayerLogAlpha()),
        settings.gateLearningRate(),
        settings.multiplierLearningRate(),
        settings.logAlphaLimit());
  }

  static LoopConfig loop(RunConfig config, long steps) {
    return loop(config, config.training().segmentLength(), steps);
  }

  /** Of a task, whose rows have lengths of their own. */
  static LoopConfig taskLoop(RunConfig config, TaskSection task, long steps) {
    return loop(config, task.maxLength(), steps);
  }

  private static LoopConfig loop(RunConfig config, int length, long steps) {
    TrainingSection training = config.training();
    return new LoopConfig(
        training.batchSize(),
        length,
        steps,
        training.accumulationSteps(),
        training.evaluateEvery(),
        training.checkpointEvery(),
        training.keepCheckpoints(),
        seed(config.seed()),
        config.threads());
  }

  /** TensorFlow's random ops take 32 bits. */
  private static int seed(long seed) {
    if (seed != (int) seed) {
      throw new ConfigException(
          "seed is "
              + seed
              + "; expected a whole number from "
              + Integer.MIN_VALUE
              + " to "
              + Integer.MAX_VALUE
              + " for training");
    }
    return (int) seed;
  }
}
