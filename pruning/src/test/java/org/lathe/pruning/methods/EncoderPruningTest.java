package org.lathe.pruning.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.distillation.Matching;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.InitialLogAlpha;
import org.lathe.pruning.plan.PlanSearch;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.RowTargets;
import org.lathe.training.loop.EncoderTask;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** An encoder learns a task, is pruned beside itself, sliced, and goes on learning. */
class EncoderPruningTest {
  static final int BATCH_SIZE = 16;
  private static final int VOCABULARY_SIZE = 20;
  private static final int LONGEST = 12;
  private static final double SPARSITY = 0.6;
  private static final int PRUNING_STEPS = 80;

  /** Answers "is there a token 7 or 8, and which": three classes. */
  private static final int NUM_CLASSES = 3;

  static final EncoderConfig ENCODER = EncoderConfig.bert(VOCABULARY_SIZE, 16, 3, 4, 32, LONGEST);
  static final HeadConfig HEAD = HeadConfig.classifier(ENCODER, NUM_CLASSES);
  static final DistillationConfig DISTILLATION =
      new DistillationConfig(0, 0.5, 0.5, 2, Matching.ORDERED);

  private static final int[] ALL_ROWS = IntStream.range(0, BATCH_SIZE).toArray();

  private static Weights teacher;

  @BeforeAll
  static void fineTuneTheTeacher() {
    teacher = fineTuned();
  }

  static Weights fineTuned() {
    try (Trainer<ExampleBatch> trainer = new Trainer<>(task(ENCODER, false), loop(200))) {
      run(trainer, EncoderPruningTest::batch, 200);
      assertThat(accuracy(trainer)).isGreaterThan(0.95);
      return trainer.modelWeights();
    }
  }

  @Test
  void aPrunedEncoderReachesItsTargetAndKeepsTheTask() {
    PruningTarget target = PruningTarget.sparsity(SPARSITY);
    Weights pruned;
    try (Trainer<ExampleBatch> trainer = pruningOf(target)) {
      Map<String, Double> last = run(trainer, EncoderPruningTest::batch, PRUNING_STEPS);
      assertThat(last.get("reduction")).isGreaterThan(SPARSITY - 0.05);
      assertThat(last).containsKeys("taskLoss", "predictionLoss", "layerLoss");
      pruned = trainer.stateWeights();
    }
    PruningPlan plan =
        PruningPlan.from(
            ENCODER.transformer(),
            PlanSearch.meeting(target, GateLogits.from(ENCODER.transformer(), pruned), 1));
    SlimEncoder slim = Slimmer.slim(ENCODER, HEAD, pruned, plan);
    assertThat(ParameterCount.count(slim.config().transformer())).isEqualTo(plan.keptParameters());
    assertThat(plan.sparsity()).isGreaterThan(SPARSITY - 1e-9);
    FineTuneTask<ExampleBatch> task =
        new FineTuneTask<>(
            EncoderPair.of(slim.config(), ENCODER, HEAD, false, DISTILLATION),
            slim.config().transformer(),
            OptimizerConfig.adamW(0.005),
            ScheduleConfig.constant(),
            1);
    try (Trainer<ExampleBatch> trainer = new Trainer<>(task, loop(100))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
      trainer.startFrom(slim.weights(), "test");
      trainer.startAuxiliary(LayerDistillation.sliceProjection(pruned, plan.keptHidden()), "test");
      run(trainer, EncoderPruningTest::batch, 100);
      assertThat(accuracy(trainer)).isGreaterThan(0.9);
    }
  }

  /** At the first step the student is its teacher, whatever stands in the padding. */
  @Test
  void aStudentThatIsItsTeacherHasNothingToLearn() {
    FineTuneTask<ExampleBatch> task =
        new FineTuneTask<>(
            EncoderPair.of(ENCODER, ENCODER, HEAD, false, DISTILLATION),
            ENCODER.transformer(),
            OptimizerConfig.adamW(1e-6),
            ScheduleConfig.constant(),
            1);
    try (Trainer<ExampleBatch> trainer = new Trainer<>(task, loop(1))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
      trainer.startFrom(teacher, "test");
      Map<String, Double> values = trainer.advance(EncoderPruningTest::batch);
      assertThat(values.get("predictionLoss")).isCloseTo(0, within(1e-6));
      assertThat(values.get("layerLoss")).isCloseTo(0, within(1e-6));
      assertThat(values.get("taskLoss")).isLessThan(0.5);
    }
  }

  @Test
  void paddingHasNoPartInTheLayerTerm() {
    assertThat(layerLoss(0)).isEqualTo(layerLoss(3));
  }

  /** Of another network than the teacher's, with so many more positions of padding. */
  private static double layerLoss(int morePadding) {
    FineTuneTask<ExampleBatch> task =
        new FineTuneTask<>(
            EncoderPair.of(ENCODER, ENCODER, HEAD, false, DISTILLATION),
            ENCODER.transformer(),
            OptimizerConfig.adamW(1e-6),
            ScheduleConfig.constant(),
            1);
    try (Trainer<ExampleBatch> trainer = new Trainer<>(task, loop(1))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
      ExampleBatch batch = padded(batch(5, 8), 8 + morePadding);
      double loss = trainer.advance(step -> batch).get("layerLoss");
      assertThat(loss).isGreaterThan(0.1);
      return Math.rint(loss * 1e4);
    }
  }

  @Test
  void frozenEmbeddingsStay() {
    try (Trainer<ExampleBatch> trainer = new Trainer<>(task(ENCODER, true), loop(3))) {
      Weights before = trainer.modelWeights();
      run(trainer, EncoderPruningTest::batch, 3);
      Weights after = trainer.modelWeights();
      for (String name : before.names()) {
        boolean same = Arrays.equals(before.get(name).values(), after.get(name).values());
        assertThat(same).as(name).isEqualTo(name.startsWith("encoder/embedding/"));
      }
    }
  }

  private static EncoderTask task(EncoderConfig encoder, boolean freezeEmbeddings) {
    return new EncoderTask(
        encoder,
        HEAD,
        freezeEmbeddings,
        OptimizerConfig.adamW(0.005),
        ScheduleConfig.constant(),
        1);
  }

  private static Trainer<ExampleBatch> pruningOf(PruningTarget target) {
    CofiTask<ExampleBatch> task =
        new CofiTask<>(
            EncoderPair.of(ENCODER, ENCODER, HEAD, false, DISTILLATION),
            ENCODER.transformer(),
            new GateConfig(EnumSet.allOf(GateKind.class), InitialLogAlpha.of(4), 0.2, 0.5, 7),
            target,
            0,
            30,
            OptimizerConfig.adamW(0.002),
            ScheduleConfig.constant(),
            1);
    Trainer<ExampleBatch> trainer = new Trainer<>(task, loop(PRUNING_STEPS));
    trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
    trainer.startFrom(teacher, "test");
    return trainer;
  }

  static LoopConfig loop(long steps) {
    return new LoopConfig(BATCH_SIZE, LONGEST, steps, 1, 0, 1000, 2, 7, 1);
  }

  /** The last step's values. */
  static Map<String, Double> run(
      Trainer<ExampleBatch> trainer, StepBatches<ExampleBatch> batches, long lastStep) {
    Map<String, Double> values = Map.of();
    while (trainer.step() < lastStep) {
      values = trainer.advance(batches);
    }
    return values;
  }

  static double accuracy(Trainer<ExampleBatch> trainer) {
    int right = 0;
    int all = 0;
    for (int i = 0; i < 8; i++) {
      ExampleBatch batch = batch(1_000_000 + i);
      float[] logits = trainer.outputs(batch).get(ExampleInput.LOGITS);
      for (int row = 0; row < BATCH_SIZE; row++, all++) {
        float[] own = Arrays.copyOfRange(logits, row * NUM_CLASSES, (row + 1) * NUM_CLASSES);
        int best = 0;
        for (int c = 1; c < NUM_CLASSES; c++) {
          best = own[c] > own[best] ? c : best;
        }
        right += best == batch.targets().classes()[row] ? 1 : 0;
      }
    }
    return (double) right / all;
  }

  static ExampleBatch batch(long step) {
    return batch(step, 6 + (int) (step % (LONGEST - 5)));
  }

  /** Rows of 4 tokens up to this length; one in three has a 7, one an 8. */
  private static ExampleBatch batch(long step, int length) {
    Random random = new Random(7919 * step + 3);
    int[] ids = new int[BATCH_SIZE * length];
    int[] present = new int[ids.length];
    int[] classes = new int[BATCH_SIZE];
    for (int row = 0; row < BATCH_SIZE; row++) {
      int own = 4 + random.nextInt(length - 3);
      for (int i = 0; i < own; i++) {
        ids[row * length + i] = i == 0 ? 1 : 9 + random.nextInt(VOCABULARY_SIZE - 9);
        present[row * length + i] = 1;
      }
      classes[row] = random.nextInt(NUM_CLASSES);
      if (classes[row] > 0) {
        ids[row * length + 1 + random.nextInt(own - 1)] = 6 + classes[row];
      }
    }
    return new ExampleBatch(
        BATCH_SIZE,
        length,
        BATCH_SIZE,
        ALL_ROWS,
        ids,
        present,
        new int[ids.length],
        RowTargets.ofClasses(classes));
  }

  private static ExampleBatch padded(ExampleBatch batch, int length) {
    int[] ids = new int[BATCH_SIZE * length];
    int[] present = new int[ids.length];
    for (int row = 0; row < BATCH_SIZE; row++) {
      System.arraycopy(batch.ids(), row * batch.length(), ids, row * length, batch.length());
      System.arraycopy(batch.mask(), row * batch.length(), present, row * length, batch.length());
    }
    return new ExampleBatch(
        BATCH_SIZE,
        length,
        BATCH_SIZE,
        ALL_ROWS,
        ids,
        present,
        new int[ids.length],
        batch.targets());
  }
}
