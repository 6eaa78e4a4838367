package org.lathe.training.batching;

import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;

/**
 * Batches of B segments from anywhere in the text: each epoch cuts the text from another random
 * start into segments of T tokens and shuffles them (TRIME section 4.1, default batching).
 */
public final class RandomBatches implements Batches {
  private final SegmentGroups groups;

  /**
   * Plans batches.
   *
   * @throws ConfigException when the text is too short for one batch
   */
  public RandomBatches(TokenFile tokens, int batchSize, int segmentLength, long seed) {
    groups = new SegmentGroups(tokens, batchSize, segmentLength, 1, seed);
  }

  @Override
  public Batch at(long microStep) {
    return groups.at(microStep);
  }

  @Override
  public int batchSize() {
    return groups.batchSize();
  }

  @Override
  public int segmentLength() {
    return groups.segmentLength();
  }

  @Override
  public long batchesPerEpoch() {
    return groups.batchesPerEpoch();
  }
}
