package org.lathe.pruning.importance;

/**
 * Derivatives of the task's loss in the gates of heads and feed-forward units, all gates at 1.
 *
 * @param batchSize B
 * @param heads [L], row-major (B, N) each: row b is of the loss of example b alone
 * @param intermediate [L], row-major (B, F) each
 */
record GateGradients(int batchSize, float[][] heads, float[][] intermediate) {}
