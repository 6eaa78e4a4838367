package org.lathe.pruning.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.constraint.TargetKind;
import org.lathe.pruning.distillation.Matching;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.InitialLogAlpha;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimModel;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.loop.TrainingListener;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** Gates, search, slimming and fine-tuning one after the other, on a model that fits in a blink. */
class PruningRunTest {
  private static final int VOCABULARY_SIZE = 30;
  private static final int HIDDEN_SIZE = 16;
  private static final int BATCH_SIZE = 4;
  private static final int LENGTH = 8;
  private static final double REDUCTION = 0.5;
  private static final int PRUNING_STEPS = 60;
  private static final int RAMP_STEPS = 30;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(VOCABULARY_SIZE, HIDDEN_SIZE, 2, 4, 32, LENGTH);
  private static final MemoryConfig MEMORY = MemoryConfig.of(MemoryObjective.LOCAL, HIDDEN_SIZE);
  private static final DistillationConfig DISTILLATION =
      new DistillationConfig(0.5, 0.5, 0.5, 2, Matching.ORDERED);

  /** Sublayers are nine tenths of the time, and times do not follow sizes. */
  private static final LatencyTable TABLE =
      new LatencyTable(
          BATCH_SIZE,
          LENGTH,
          HIDDEN_SIZE,
          List.of(0.0, 2.0, 2.5, 3.5, 4.0),
          List.of(0, 8, 32),
          List.of(0.0, 1.5, 5.0),
          2.0,
          0.4);

  private static Weights original;

  @TempDir Path directory;

  /** A teacher that has learned something. */
  @BeforeAll
  static void trainTheModel() {
    LanguageModelTask task =
        new LanguageModelTask(
            MODEL, MEMORY, OptimizerConfig.adamW(0.01), ScheduleConfig.constant(), 1, 0);
    try (Trainer<Batch> trainer = new Trainer<>(task, loop(60))) {
      run(trainer, new Cycles(), 60);
      original = trainer.modelWeights();
    }
  }

  @ParameterizedTest
  @EnumSource
  void reachesTheTargetAndFineTunesWhatIsLeft(TargetKind kind) {
    PruningTarget target =
        kind == TargetKind.SPARSITY
            ? PruningTarget.sparsity(REDUCTION)
            : PruningTarget.speedup(1 / (1 - REDUCTION), java.util.List.of(TABLE), MODEL);
    Weights pruned;
    GateLogits logits;
    try (Trainer<Batch> trainer = pruningOf(target)) {
      List<Map<String, Double>> metrics = run(trainer, new Cycles(), PRUNING_STEPS);
      assertThat(metrics.get(0).get("reduction")).isLessThan(0.1);
      assertThat(metrics.get(0).get("reductionTarget")).isZero();
      Map<String, Double> last = metrics.get(PRUNING_STEPS - 1);
      assertThat(last.get("reductionTarget")).isCloseTo(REDUCTION, within(1e-6));
      // so few steps leave no time to settle: it may shoot over, never stay below
      assertThat(last.get("reduction")).isGreaterThan(REDUCTION - 0.05);
      pruned = trainer.modelWeights();
      logits = GateLogits.from(MODEL, trainer.stateWeights());
    }

    GateValues gates = PlanSearch.meeting(target, logits, 1);
    PruningPlan plan = PruningPlan.from(MODEL, gates);
    double achieved = target.achieved(MODEL, ExpectedSizes.of(plan.gates()));
    assertThat(achieved).isBetween(REDUCTION, 0.75);
    SlimModel slim = Slimmer.slim(MODEL, pruned, plan);

    FineTuneTask<Batch> task =
        new FineTuneTask<>(
            DecoderPair.of(slim.config(), MODEL, MEMORY, DISTILLATION),
            slim.config(),
            OptimizerConfig.adamW(0.01),
            ScheduleConfig.constant(),
            1);
    try (Trainer<Batch> trainer = new Trainer<>(task, loop(20))) {
      trainer.setTeacher(DecoderPair.teacherWeights(original), "test");
      trainer.startFrom(slim.weights(), "test");
      // one and the same batch: the loss must fall
      Batch fixed = new Cycles().at(1000);
      List<Map<String, Double>> metrics = run(trainer, new OneBatch(fixed), 20);
      assertThat(metrics.get(19).get("loss")).isLessThan(0.9 * metrics.get(0).get("loss"));
      assertThat(trainer.modelWeights().names()).isEqualTo(slim.weights().names());
    }
  }

  /** Stopped in the middle of the ramp, where target, gates, multipliers and slots all move. */
  @Test
  void aResumedRunRepeatsAStraightOneToTheBit() {
    PruningTarget target = PruningTarget.sparsity(REDUCTION);
    Weights straight;
    List<Map<String, Double>> straightMetrics;
    try (Trainer<Batch> trainer = pruningOf(target)) {
      straightMetrics = run(trainer, new Cycles(), 24);
      straight = trainer.stateWeights();
    }
    CheckpointStore store = new CheckpointStore(LocalStorage.INSTANCE, directory, 2);
    try (Trainer<Batch> trainer = pruningOf(target)) {
      Trainer.Ending ending =
          trainer.run(
              new Cycles(),
              null,
              store,
              "hash",
              new TrainingListener() {},
              () -> trainer.step() == 11);
      assertThat(ending).isEqualTo(Trainer.Ending.STOPPED);
    }
    try (Trainer<Batch> trainer = pruningOf(target)) {
      assertThat(trainer.resume(store, "hash")).isTrue();
      assertThat(trainer.step()).isEqualTo(11);
      List<Map<String, Double>> metrics = run(trainer, new Cycles(), 24);
      assertThat(metrics).isEqualTo(straightMetrics.subList(11, 24));
      Weights resumed = trainer.stateWeights();
      assertThat(resumed.names()).isEqualTo(straight.names());
      for (String name : straight.names()) {
        assertThat(resumed.get(name).values()).as(name).isEqualTo(straight.get(name).values());
      }
      assertThat(resumed.names())
          .contains("multipliers/lambda1", "gates/heads", "optimizer/gates/heads/v");
    }
  }

  /** Dropout is noise of training alone, of gates and of fine-tuning. */
  @Test
  void validationKnowsNoDropout() {
    TransformerConfig noisy = MODEL.withDropout(0.5);
    List<Batch> batches = List.of(new Cycles().at(1000));
    List<Double> losses = new ArrayList<>();
    for (TransformerConfig student : List.of(MODEL, noisy)) {
      FineTuneTask<Batch> task =
          new FineTuneTask<>(
              DecoderPair.of(student, MODEL, MEMORY, DISTILLATION),
              student,
              OptimizerConfig.adamW(0.01),
              ScheduleConfig.constant(),
              1);
      try (Trainer<Batch> trainer = new Trainer<>(task, loop(20))) {
        trainer.setTeacher(DecoderPair.teacherWeights(original), "test");
        trainer.startFrom(original, "test");
        losses.add(trainer.validationLoss(batches));
      }
    }
    assertThat(losses.get(1)).isCloseTo(losses.get(0), within(1e-6));
  }

  private static Trainer<Batch> pruningOf(PruningTarget target) {
    GateConfig gates =
        new GateConfig(EnumSet.allOf(GateKind.class), InitialLogAlpha.of(4), 0.2, 0.5, 7);
    CofiTask<Batch> task =
        new CofiTask<>(
            DecoderPair.of(MODEL, MODEL, MEMORY, DISTILLATION),
            MODEL,
            gates,
            target,
            0,
            RAMP_STEPS,
            OptimizerConfig.adamW(1e-3),
            ScheduleConfig.constant(),
            1);
    Trainer<Batch> trainer = new Trainer<>(task, loop(PRUNING_STEPS));
    trainer.setTeacher(DecoderPair.teacherWeights(original), "test");
    trainer.startFrom(original, "test");
    return trainer;
  }

  private static LoopConfig loop(long steps) {
    return new LoopConfig(BATCH_SIZE, LENGTH, steps, 1, 0, 1000, 2, 7, 1);
  }

  /** Metrics of each step up to this one. */
  private static List<Map<String, Double>> run(
      Trainer<Batch> trainer, Batches batches, long lastStep) {
    List<Map<String, Double>> metrics = new ArrayList<>();
    while (trainer.step() < lastStep) {
      metrics.add(new LinkedHashMap<>(trainer.advance(batches)));
    }
    return metrics;
  }

  /** Texts that step through the vocabulary with strides of 1 to 3: easy to learn. */
  private static final class Cycles implements Batches {
    @Override
    public Batch at(long microStep) {
      Random random = new Random(1_000_003 * (microStep + 1));
      int[] inputs = new int[BATCH_SIZE * LENGTH];
      int[] targets = new int[inputs.length];
      for (int row = 0; row < BATCH_SIZE; row++) {
        int stride = 1 + random.nextInt(3);
        int token = random.nextInt(VOCABULARY_SIZE);
        for (int i = 0; i < LENGTH; i++) {
          inputs[row * LENGTH + i] = token;
          token = (token + stride) % VOCABULARY_SIZE;
          targets[row * LENGTH + i] = token;
        }
      }
      return new Batch(BATCH_SIZE, LENGTH, inputs, targets);
    }

    @Override
    public int batchSize() {
      return BATCH_SIZE;
    }

    @Override
    public int segmentLength() {
      return LENGTH;
    }

    @Override
    public long batchesPerEpoch() {
      return Long.MAX_VALUE;
    }
  }

  private record OneBatch(Batch batch) implements Batches {
    @Override
    public Batch at(long microStep) {
      return batch;
    }

    @Override
    public int batchSize() {
      return batch.batchSize();
    }

    @Override
    public int segmentLength() {
      return batch.segmentLength();
    }

    @Override
    public long batchesPerEpoch() {
      return 1;
    }
  }
}
