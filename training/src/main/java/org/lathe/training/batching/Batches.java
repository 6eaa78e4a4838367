package org.lathe.training.batching;

/** Batches of segments of a text. */
public interface Batches extends StepBatches<Batch> {
  /** Batch of a micro step, from 0; epoch e is the micro steps from e * batchesPerEpoch on. */
  @Override
  Batch at(long microStep);

  /** B. */
  int batchSize();

  /** T. */
  int segmentLength();

  /** Batches in one pass over the text; the same in every epoch. */
  long batchesPerEpoch();
}
