package org.lathe.training.examples;

import org.lathe.training.batching.StepBatches;

/**
 * Training batches with hidden tokens, other ones whenever a row comes again.
 *
 * @param batches of whole rows
 * @param seed of what is hidden
 */
public record MaskedBatches(StepBatches<ExampleBatch> batches, TokenMasking masking, long seed)
    implements StepBatches<ExampleBatch> {

  @Override
  public ExampleBatch at(long microStep) {
    return masking.mask(batches.at(microStep), seed, microStep);
  }
}
