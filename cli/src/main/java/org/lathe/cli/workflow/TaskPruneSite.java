package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.TaskSection;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.methods.DistillationPair;
import org.lathe.pruning.methods.EncoderPair;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.Trainer;
import org.lathe.training.loop.TrainingTask;

/**
 * What every method of pruning an encoder works on.
 *
 * @param teacher the fine-tuned run that is pruned, unchanged
 * @param full its shape
 * @param head its head
 * @param teacherWeights of encoder and head, at the teacher's best
 * @param batches of the task's examples
 * @param asked how much shall go, which gates are trained for
 * @param target the same, or corrected by what a structure was measured at
 * @param hash of all that decides the result
 */
record TaskPruneSite(
    PruneRequest request,
    RunContext context,
    RunDirectory teacher,
    EncoderConfig full,
    HeadConfig head,
    Weights teacherWeights,
    StepBatches<ExampleBatch> batches,
    PruningTarget asked,
    PruningTarget target,
    String hash,
    StopSignals stop) {

  RunConfig config() {
    return request.config();
  }

  TaskSection task() {
    return request.config().task();
  }

  PruningSection settings() {
    return request.config().pruning();
  }

  TaskPruneSite withTarget(PruningTarget newTarget) {
    return new TaskPruneSite(
        request,
        context,
        teacher,
        full,
        head,
        teacherWeights,
        batches,
        asked,
        newTarget,
        hash,
        stop);
  }

  /**
   * Tells a person where a method cannot reach the target. The run goes on all the same; for a
   * speed-up {@link SpeedupSearch} may end it.
   *
   * @param why such as "no head is left"
   */
  void noteWhereMissed(GateValues gates, String why) {
    double achieved = target.achieved(blocks(), ExpectedSizes.of(gates));
    if (achieved < target.reduction()) {
      context
          .console()
          .note(
              String.format(
                  Locale.ROOT,
                  "%s: removed %.1f %% where the target is %.1f %%; this method removes no more",
                  why,
                  100 * achieved,
                  100 * target.reduction()));
    }
  }

  /** The blocks of the unpruned model. */
  TransformerConfig blocks() {
    return full.transformer();
  }

  /** A student of this shape beside the teacher. */
  DistillationPair.Factory<ExampleBatch> pair(EncoderConfig student) {
    return EncoderPair.of(
        student,
        full,
        head,
        // fresh embeddings have everything to learn
        task().freezeEmbeddings() && settings().method() != PruningSection.Method.SCRATCH,
        StructureMethod.of(settings().method()).distillation(settings()));
  }

  /** Gives a trainer of a {@link #pair} its teacher. */
  void setTeacher(Trainer<ExampleBatch> trainer) {
    trainer.setTeacher(EncoderPair.teacherWeights(teacherWeights), teacher.path().toString());
  }

  /** What else starts in another way than by its initializer. */
  interface Start {
    /** False when a signal asked to stop. */
    boolean prepare(Trainer<ExampleBatch> trainer, Path directory);
  }

  /** From the student's start, all else by its initializer. */
  @Nullable Weights learn(TrainingTask<ExampleBatch> pruning) {
    return learn(pruning, (trainer, directory) -> true);
  }

  /**
   * Trains beside the teacher, with checkpoints in RUN/pruning: from the teacher's weights on, or
   * from the pretrained encoder in {@code pruning.studentFrom} with a new head.
   *
   * @param start of the other variables, where the stage is new
   * @param pruning a task with a {@link #pair} of the full shape
   * @return all variables at the end, or null when a signal asked to stop
   */
  @Nullable Weights learn(TrainingTask<ExampleBatch> pruning, Start start) {
    return learn(pruning, this::studentStart, start);
  }

  /**
   * The same of a student that starts from weights of its own.
   *
   * @param pruning a task with variables of a student and of the teacher
   */
  @Nullable Weights learn(TrainingTask<ExampleBatch> pruning, Weights student) {
    return learn(pruning, own -> student, (trainer, directory) -> true);
  }

  /**
   * @param own a new student's weights, by their initializers
   */
  private Weights studentStart(Weights own) {
    if (settings().studentFrom().isBlank()) {
      return teacherWeights;
    }
    return EncoderSource.into(
        own, EncoderSource.ofStudent(settings(), teacher, context.storage()), head);
  }

  private @Nullable Weights learn(
      TrainingTask<ExampleBatch> pruning, UnaryOperator<Weights> student, Start start) {
    int steps = settings().steps();
    Path directory = request.run().resolve(RunDirectory.PRUNING);
    PruneStage stage = new PruneStage(directory, "pruning", steps);
    try (Trainer<ExampleBatch> trainer =
        new Trainer<>(pruning, TaskConfigs.taskLoop(config(), task(), steps))) {
      setTeacher(trainer);
      trainer.startFrom(student.apply(trainer.modelWeights()), teacher.path().toString());
      return start.prepare(trainer, directory)
              && stage.run(trainer, batches, null, hash, config(), stop, context)
          ? trainer.stateWeights()
          : null;
    }
  }
}
