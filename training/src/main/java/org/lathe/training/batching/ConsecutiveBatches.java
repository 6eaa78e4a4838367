package org.lathe.training.batching;

import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;

/**
 * Batches of segments that follow each other in the text, so that a segment finds its own past in
 * the batch (TRIME section 4.2). Unlike the paper, whose order never changes, each epoch cuts the
 * text from another random start and shuffles the groups.
 */
public final class ConsecutiveBatches implements Batches {
  private final SegmentGroups groups;

  /** Batches of one group: B consecutive segments. */
  public ConsecutiveBatches(TokenFile tokens, int batchSize, int segmentLength, long seed) {
    this(tokens, batchSize, segmentLength, batchSize, seed);
  }

  /**
   * Batches of B / m groups.
   *
   * @param segmentsPerGroup m, consecutive segments in a group; divides batchSize
   * @throws ConfigException when the text is too short for one batch
   */
  public ConsecutiveBatches(
      TokenFile tokens, int batchSize, int segmentLength, int segmentsPerGroup, long seed) {
    groups = new SegmentGroups(tokens, batchSize, segmentLength, segmentsPerGroup, seed);
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
