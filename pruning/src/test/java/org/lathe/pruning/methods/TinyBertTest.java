package org.lathe.pruning.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.Matching;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.UniformShape;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.Trainer;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** A small student learns its teacher's inner states, then its predictions. */
class TinyBertTest {
  private static Weights teacher;

  @BeforeAll
  static void fineTuneTheTeacher() {
    teacher = EncoderPruningTest.fineTuned();
  }

  @Test
  void aStudentLearnsInTwoStages() {
    UniformShape shape =
        UniformShape.meeting(
            PruningTarget.sparsity(0.6), EncoderPruningTest.ENCODER.transformer(), 2, 1);
    PruningPlan plan = PruningPlan.from(shape.full(), shape.gates());
    SlimEncoder slim =
        Slimmer.slim(EncoderPruningTest.ENCODER, EncoderPruningTest.HEAD, teacher, plan);
    Weights taught;
    try (Trainer<ExampleBatch> trainer = trainer(plan, 0.005, 80)) {
      trainer.startFrom(slim.weights(), "test");
      Map<String, Double> first = trainer.advance(EncoderPruningTest::batch);
      // the same embeddings, seen through the identity
      assertThat(first.get("embeddingLoss")).isCloseTo(0, within(1e-8));
      assertThat(first.get("loss"))
          .isCloseTo(first.get("attentionLoss") + first.get("hiddenLoss"), within(1e-5));
      Map<String, Double> last = EncoderPruningTest.run(trainer, EncoderPruningTest::batch, 80);
      assertThat(last.get("attentionLoss")).isLessThan(0.5 * first.get("attentionLoss"));
      assertThat(last.get("hiddenLoss")).isLessThan(0.5 * first.get("hiddenLoss"));
      taught = trainer.modelWeights();
    }
    for (String name : taught.names()) {
      boolean same = Arrays.equals(slim.weights().get(name).values(), taught.get(name).values());
      assertThat(same)
          .as(name)
          .isEqualTo(name.startsWith("encoder/pooler/") || name.startsWith("classifier/"));
    }
    FineTuneTask<ExampleBatch> prediction =
        new FineTuneTask<>(
            EncoderPair.of(
                slim.config(),
                EncoderPruningTest.ENCODER,
                EncoderPruningTest.HEAD,
                false,
                new DistillationConfig(0, 1, 0, 1, Matching.ORDERED)),
            slim.config().transformer(),
            OptimizerConfig.adamW(0.005),
            ScheduleConfig.constant(),
            1);
    try (Trainer<ExampleBatch> trainer = new Trainer<>(prediction, EncoderPruningTest.loop(60))) {
      trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
      trainer.startFrom(taught, "test");
      EncoderPruningTest.run(trainer, EncoderPruningTest::batch, 60);
      assertThat(EncoderPruningTest.accuracy(trainer)).isGreaterThan(0.9);
    }
  }

  @Test
  void aStudentThatIsItsTeacherHasNothingToLearn() {
    PruningPlan open =
        PruningPlan.from(
            EncoderPruningTest.ENCODER.transformer(),
            GateValues.allOpen(EncoderPruningTest.ENCODER.transformer()));
    try (Trainer<ExampleBatch> trainer = trainer(open, 1e-6, 1)) {
      trainer.startFrom(teacher, "test");
      assertThat(trainer.advance(EncoderPruningTest::batch).get("loss")).isCloseTo(0, within(1e-8));
    }
  }

  private static Trainer<ExampleBatch> trainer(PruningPlan plan, double learningRate, int steps) {
    TinyBertTask task =
        new TinyBertTask(
            EncoderPruningTest.ENCODER,
            EncoderPruningTest.HEAD,
            plan,
            false,
            OptimizerConfig.adamW(learningRate),
            ScheduleConfig.constant(),
            1);
    Trainer<ExampleBatch> trainer = new Trainer<>(task, EncoderPruningTest.loop(steps));
    trainer.setTeacher(EncoderPair.teacherWeights(teacher), "test");
    return trainer;
  }
}
