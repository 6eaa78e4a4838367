package org.lathe.training.batching;

/**
 * The batches of a run as a function of the step, so that a resumed run needs no state to see the
 * same data. Safe for several threads.
 */
public interface Batches {
  /** Batch of a micro step, from 0; epoch e is the micro steps from e * batchesPerEpoch on. */
  Batch at(long microStep);

  /** B. */
  int batchSize();

  /** T. */
  int segmentLength();

  /** Batches in one pass over the text; the same in every epoch. */
  long batchesPerEpoch();
}
