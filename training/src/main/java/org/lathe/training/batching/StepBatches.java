package org.lathe.training.batching;

/**
 * The batches of a run as a function of the step, so that a resumed run needs no state to see the
 * same data. Safe for several threads.
 *
 * @param <B> a batch
 */
public interface StepBatches<B> {
  /** Batch of a micro step, from 0. */
  B at(long microStep);
}
