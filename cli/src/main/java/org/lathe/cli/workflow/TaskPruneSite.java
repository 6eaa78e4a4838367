package org.lathe.cli.workflow;

import java.util.Locale;
import java.util.function.Supplier;
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
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.ExampleBatches;
import org.lathe.training.loop.Trainer;

/**
 * What every method of pruning an encoder works on.
 *
 * @param teacher the fine-tuned run that is pruned, unchanged
 * @param full its shape
 * @param head its head
 * @param teacherWeights of encoder and head, at the teacher's best
 * @param task whose examples are learned from
 * @param batches of these
 * @param targetWhenAsked how much shall go; it may have to be measured, so ask for it once it is
 *     needed
 * @param hash of all that decides the result
 */
record TaskPruneSite(
    PruneRequest request,
    RunContext context,
    RunDirectory teacher,
    EncoderConfig full,
    HeadConfig head,
    Weights teacherWeights,
    TaskSection task,
    ExampleBatches batches,
    Supplier<PruningTarget> targetWhenAsked,
    String hash,
    StopSignals stop) {

  RunConfig config() {
    return request.config();
  }

  PruningSection settings() {
    return request.config().pruning();
  }

  /** How much shall go. */
  PruningTarget target() {
    return targetWhenAsked.get();
  }

  /**
   * Tells a person where a method cannot reach the target, whose run goes on all the same.
   *
   * @param why such as "no head is left"
   */
  void noteWhereMissed(GateValues gates, String why) {
    double achieved = target().achieved(blocks(), ExpectedSizes.of(gates));
    if (achieved < target().reduction()) {
      context
          .console()
          .note(
              String.format(
                  Locale.ROOT,
                  "%s: removed %.1f %% where the target is %.1f %%; this method removes no more",
                  why,
                  100 * achieved,
                  100 * target().reduction()));
    }
  }

  /** The blocks of the unpruned model. */
  TransformerConfig blocks() {
    return full.transformer();
  }

  /** A student of this shape beside the teacher. */
  DistillationPair.Factory<ExampleBatch> pair(EncoderConfig student) {
    return EncoderPair.of(
        student, full, head, task.freezeEmbeddings(), TaskConfigs.distillation(settings()));
  }

  /** Gives a trainer of a {@link #pair} its teacher. */
  void setTeacher(Trainer<ExampleBatch> trainer) {
    trainer.setTeacher(EncoderPair.teacherWeights(teacherWeights), teacher.path().toString());
  }
}
