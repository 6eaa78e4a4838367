package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Batches, optimizer, schedule and checkpoints. One step is one optimizer update.
 *
 * @param segmentLength T, tokens of one segment
 * @param batchSize B, segments of one micro-step
 * @param steps optimizer updates in all
 * @param warmupFraction share of the steps trained with plain cross-entropy before memory joins
 * @param optimizer adamw or nag
 * @param learningRate peak of the schedule
 * @param beta1 decay of the first moment; adamw
 * @param beta2 decay of the second moment; adamw
 * @param weightDecay decoupled; adamw
 * @param momentum of nag
 * @param schedule how the learning rate falls after the warm-up
 * @param warmupSteps steps of linear growth of the learning rate
 * @param minimumRatio last learning rate / learningRate; cosine and linear
 * @param clipNorm global gradient norm is cut to this; 0 = not
 * @param accumulationSteps micro-steps per step
 * @param evaluateEvery steps between validations; 0 = at the end only
 * @param checkpointEvery steps between checkpoints; 0 = at the end only
 * @param keepCheckpoints newest checkpoints kept
 */
public record TrainingSection(
    int segmentLength,
    int batchSize,
    int steps,
    double warmupFraction,
    OptimizerKind optimizer,
    double learningRate,
    double beta1,
    double beta2,
    double weightDecay,
    double momentum,
    ScheduleKind schedule,
    int warmupSteps,
    double minimumRatio,
    double clipNorm,
    int accumulationSteps,
    int evaluateEvery,
    int checkpointEvery,
    int keepCheckpoints) {
  /** AdamW, or stochastic gradient with Nesterov momentum. */
  public enum OptimizerKind {
    ADAMW,
    NAG
  }

  /** Learning-rate curves after the warm-up. */
  public enum ScheduleKind {
    CONSTANT,
    LINEAR,
    COSINE,
    @JsonProperty("inverse-square-root")
    INVERSE_SQUARE_ROOT
  }

  public TrainingSection {
    Check.between("training.segmentLength", segmentLength, 2, 1_048_576);
    Check.between("training.batchSize", batchSize, 1, 65_536);
    Check.atLeast("training.steps", steps, 1);
    Check.within("training.warmupFraction", warmupFraction, 0, 1);
    Check.positive("training.learningRate", learningRate);
    Check.below("training.beta1", beta1, 0, 1);
    Check.below("training.beta2", beta2, 0, 1);
    Check.notNegative("training.weightDecay", weightDecay);
    Check.below("training.momentum", momentum, 0, 1);
    Check.between("training.warmupSteps", warmupSteps, 0, steps);
    Check.within("training.minimumRatio", minimumRatio, 0, 1);
    Check.notNegative("training.clipNorm", clipNorm);
    Check.between("training.accumulationSteps", accumulationSteps, 1, 65_536);
    Check.atLeast("training.evaluateEvery", evaluateEvery, 0);
    Check.atLeast("training.checkpointEvery", checkpointEvery, 0);
    Check.between("training.keepCheckpoints", keepCheckpoints, 1, 10_000);
  }
}
