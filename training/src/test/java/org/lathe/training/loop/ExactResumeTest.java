package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** A run that is stopped and resumed repeats a straight one bit for bit. */
class ExactResumeTest {
  private static final int STEPS = 14;
  private static final int NUM_STOPS = 3;
  private static final long SEED = Long.getLong("seed", 20);

  @TempDir Path directory;

  static List<Arguments> tasks() {
    List<Arguments> tasks = new ArrayList<>();
    for (MemoryObjective objective : MemoryObjective.values()) {
      if (objective != MemoryObjective.NONE) {
        for (OptimizerConfig.Kind optimizer : OptimizerConfig.Kind.values()) {
          tasks.add(Arguments.of(objective, optimizer, 1));
          tasks.add(Arguments.of(objective, optimizer, 2));
        }
      }
    }
    return tasks;
  }

  /**
   * Stops at three random steps. Two trainers take turns, so that the second one resumes into fresh
   * variables first, and both into what they held before: a restored state is complete.
   */
  @ParameterizedTest
  @MethodSource("tasks")
  void stoppedRunEqualsStraightRun(
      MemoryObjective objective, OptimizerConfig.Kind optimizer, int accumulation) {
    TinyTraining training =
        TinyTraining.of(memory(objective, 16), optimizer(optimizer), STEPS, accumulation, 1);
    TinyTraining.Trace straight = new TinyTraining.Trace();
    Weights expected = straight(training, straight);

    TinyTraining.Trace stopped = new TinyTraining.Trace();
    Weights found =
        takingTurns(training, stopped, stops(31 * objective.ordinal() + 7 * optimizer.ordinal()));

    stopped.assertSame(straight);
    TinyTraining.assertSame(found, expected);
    assertThat(expected.names()).as("optimizer state is among it").anyMatch(this::isNoModel);
  }

  private static List<Integer> stops(int salt) {
    Random random = new Random(SEED + salt);
    return random.ints(1, STEPS).distinct().limit(NUM_STOPS).sorted().boxed().toList();
  }

  /** What a recurrent model remembers of the last batch is part of its checkpoint. */
  @ParameterizedTest
  @CsvSource({
    "NONE,1",
    "NONE,2",
    "MEAN_POOLING,1",
    "CONVOLUTION,1",
    "CONVOLUTION,2",
    "MOST_USED,1"
  })
  void stoppedRecurrentRunEqualsStraightRun(CompressionConfig.Kind kind, int accumulation) {
    CompressionConfig compression =
        kind == CompressionConfig.Kind.NONE
            ? CompressionConfig.NONE
            : new CompressionConfig(kind, 2, 6, 0.5);
    TinyTraining training = TinyTraining.recurrent(compression, STEPS, accumulation);
    TinyTraining.Trace straight = new TinyTraining.Trace();
    Weights expected = straight(training, straight);
    TinyTraining.Trace stopped = new TinyTraining.Trace();
    Weights found = takingTurns(training, stopped, stops(kind.ordinal()));
    stopped.assertSame(straight);
    TinyTraining.assertSame(found, expected);
    assertThat(expected.get("recurrence/recent/valid").values()).contains(1f);
    assertThat(expected.names()).as("validation's memory").noneMatch(n -> n.contains("validation"));
  }

  private boolean isNoModel(String name) {
    return !name.startsWith("decoder/");
  }

  /** Products large enough that TensorFlow splits them among its threads. */
  @Test
  void twoThreadsToo() {
    int repetitions = 20;
    TransformerConfig model = TransformerConfig.uniform(300, 64, 1, 2, 256, 32).withDropout(0.1);
    TinyTraining training =
        new TinyTraining(
            new LanguageModelTask(
                model,
                memory(MemoryObjective.EXTERNAL, 64),
                optimizer(OptimizerConfig.Kind.ADAMW),
                ScheduleConfig.constant(),
                1,
                1),
            TinyTraining.loop(8, 32, 5, 2, 2),
            300);
    TinyTraining.Trace straight = new TinyTraining.Trace();
    Weights expected = straight(training, straight);
    for (int stop = 1; stop < 5; stop++) {
      try (Trainer<Batch> trainer = training.trainer()) {
        training.run(trainer, new TinyTraining.Trace(), store(directory.resolve("" + stop)), stop);
      }
    }
    Random random = new Random(SEED);
    for (int i = 0; i < repetitions; i++) {
      int stop = 1 + random.nextInt(4);
      TinyTraining.Trace resumed = new TinyTraining.Trace();
      try (Trainer<Batch> trainer = training.trainer()) {
        assertThat(trainer.resume(store(directory.resolve("" + stop)), TinyTraining.HASH)).isTrue();
        training.run(trainer, resumed, null, Long.MAX_VALUE);
        TinyTraining.assertSame(trainer.stateWeights(), expected);
      }
      resumed.assertSame(straight.from(stop));
    }
  }

  @Test
  void sameSeedGivesTheSameRun() {
    TinyTraining training =
        TinyTraining.of(
            memory(MemoryObjective.EXTERNAL, 16), optimizer(OptimizerConfig.Kind.ADAMW), 100, 1, 1);
    TinyTraining.Trace first = new TinyTraining.Trace();
    Weights expected = straight(training, first);
    TinyTraining.Trace second = new TinyTraining.Trace();
    TinyTraining.assertSame(straight(training, second), expected);
    second.assertSame(first);
    assertThat(first.steps()).hasSize(100);
    // the numbers do move, so that equality says something
    assertThat(first.values().stream().map(said -> said.get("loss")).distinct()).hasSize(100);
  }

  /** The resumed run goes on behind the step of the stop, so what is due there is due now. */
  @Test
  void aValidationInTheStepOfAStopIsMeasured() {
    TinyTraining usual =
        TinyTraining.of(
            memory(MemoryObjective.LOCAL, 16), optimizer(OptimizerConfig.Kind.ADAMW), STEPS, 1, 1);
    int evaluateEvery = 4;
    LoopConfig loop = usual.loop();
    TinyTraining training =
        new TinyTraining(
            usual.task(),
            new LoopConfig(
                loop.batchSize(), loop.segmentLength(), STEPS, 1, evaluateEvery, 0, 2, 5, 1),
            usual.vocabularySize());
    long due = 2L * evaluateEvery;
    List<Long> expected = new ArrayList<>();
    List<Long> found = new ArrayList<>();
    try (Trainer<Batch> trainer = training.trainer()) {
      validated(training, trainer, expected, Long.MAX_VALUE);
    }
    for (long until : new long[] {due, Long.MAX_VALUE}) {
      try (Trainer<Batch> trainer = training.trainer()) {
        trainer.resume(store(directory), TinyTraining.HASH);
        validated(training, trainer, found, until);
      }
    }
    assertThat(found).isEqualTo(expected).contains(due, (long) STEPS);
  }

  private void validated(
      TinyTraining training, Trainer<Batch> trainer, List<Long> steps, long until) {
    Validation<Batch> validation =
        validated -> {
          steps.add(validated.step());
          return Map.of();
        };
    trainer.run(
        training.batches(),
        validation,
        until == Long.MAX_VALUE ? null : store(directory),
        TinyTraining.HASH,
        new TinyTraining.Trace().listener(),
        () -> trainer.step() >= until);
  }

  private static Weights straight(TinyTraining training, TinyTraining.Trace trace) {
    try (Trainer<Batch> trainer = training.trainer()) {
      assertThat(training.run(trainer, trace, null, Long.MAX_VALUE)).isEqualTo(Trainer.Ending.DONE);
      return trainer.stateWeights();
    }
  }

  private Weights takingTurns(
      TinyTraining training, TinyTraining.Trace trace, List<Integer> stops) {
    try (Trainer<Batch> first = training.trainer();
        Trainer<Batch> second = training.trainer()) {
      Trainer<Batch> trainer = first;
      for (int stop : stops) {
        trainer.resume(store(directory), TinyTraining.HASH);
        assertThat(training.run(trainer, trace, store(directory), stop))
            .isEqualTo(Trainer.Ending.STOPPED);
        assertThat(trainer.step()).isEqualTo(stop);
        trainer = trainer == first ? second : first;
      }
      assertThat(trainer.resume(store(directory), TinyTraining.HASH)).isTrue();
      assertThat(trainer.step()).isEqualTo(stops.get(stops.size() - 1).longValue());
      assertThat(training.run(trainer, trace, null, Long.MAX_VALUE)).isEqualTo(Trainer.Ending.DONE);
      return trainer.stateWeights();
    }
  }

  private static CheckpointStore store(Path run) {
    return new CheckpointStore(LocalStorage.INSTANCE, run, 2);
  }

  private static MemoryConfig memory(MemoryObjective objective, int width) {
    return new MemoryConfig(
        objective,
        1 / Math.sqrt(width),
        objective == MemoryObjective.EXTERNAL ? 0.5 : 0,
        objective == MemoryObjective.CONSECUTIVE ? 2 : 0);
  }

  private static OptimizerConfig optimizer(OptimizerConfig.Kind kind) {
    OptimizerConfig plain =
        kind == OptimizerConfig.Kind.NAG
            ? OptimizerConfig.nag(0.05, 0.9)
            : OptimizerConfig.adamW(0.01);
    return plain.withWeightDecay(0.01);
  }
}
