package org.lathe.training.loop;

import com.google.common.base.Preconditions;

/**
 * How long and in what bites a task is trained.
 *
 * @param steps optimizer updates in all; 0 = keep the model as it starts
 * @param accumulationSteps micro-batches a step
 * @param evaluateEvery steps between validation losses; 0 = never
 * @param checkpointEvery steps between checkpoints; one is always written at the end, 0 = only
 *     there
 * @param keepCheckpoints newest ones kept
 * @param seed of initial values, dropout, gate noise and data order
 * @param threads for TensorFlow, 0 = all cores; results are reproducible for a given number
 */
public record LoopConfig(
    int batchSize,
    int segmentLength,
    long steps,
    int accumulationSteps,
    long evaluateEvery,
    long checkpointEvery,
    int keepCheckpoints,
    int seed,
    int threads) {
  public LoopConfig {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    Preconditions.checkArgument(
        segmentLength > 0, "segmentLength (%s) must be positive", segmentLength);
    Preconditions.checkArgument(steps >= 0, "steps (%s) must not be negative", steps);
    Preconditions.checkArgument(
        accumulationSteps > 0, "accumulationSteps (%s) must be positive", accumulationSteps);
    Preconditions.checkArgument(
        evaluateEvery >= 0, "evaluateEvery (%s) must not be negative", evaluateEvery);
    Preconditions.checkArgument(
        checkpointEvery >= 0, "checkpointEvery (%s) must not be negative", checkpointEvery);
    Preconditions.checkArgument(
        keepCheckpoints > 0, "keepCheckpoints (%s) must be positive", keepCheckpoints);
    Preconditions.checkArgument(threads >= 0, "threads (%s) must not be negative", threads);
  }
}
