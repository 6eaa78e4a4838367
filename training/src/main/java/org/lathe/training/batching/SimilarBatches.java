package org.lathe.training.batching;

import com.google.common.base.Preconditions;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.similarity.SegmentOrder;

/**
 * Batches of segments that resemble each other (TRIME section 4.2, for external memory): an order
 * of all segments, cut into groups of m, the groups shuffled anew in each epoch, and B / m of them
 * in a batch. Several groups keep a batch as varied as the several devices of the paper do. Where m
 * does not divide the number of segments, the remainder is left out at the two ends of the order,
 * split between them anew in each epoch; so are the groups that do not fill a batch. Unlike in the
 * other batches, the text is always cut into segments from its start, since the order belongs to
 * these segments.
 */
public final class SimilarBatches implements Batches {
  private record Epoch(long number, int first, int[] order) {}

  private final TokenFile tokens;
  private final SegmentOrder order;
  private final int batchSize;
  private final int segmentLength;
  private final int segmentsPerGroup;
  private final int numGroups;
  private final int numBatches;
  private final long seed;

  // only remembers what the epoch number determines
  private volatile @Nullable Epoch latest;

  /**
   * Plans batches.
   *
   * @param order of the segments of these tokens at this length
   * @param segmentsPerGroup m, segments in a row of the order; divides batchSize
   * @throws ConfigException when the text is too short for one batch
   */
  public SimilarBatches(
      TokenFile tokens,
      SegmentOrder order,
      int batchSize,
      int segmentLength,
      int segmentsPerGroup,
      long seed) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    Preconditions.checkArgument(
        segmentsPerGroup > 0 && batchSize % segmentsPerGroup == 0,
        "segmentsPerGroup (%s) must divide batchSize (%s)",
        segmentsPerGroup,
        batchSize);
    int numSegments = SegmentOrder.numSegments(tokens, segmentLength);
    Preconditions.checkArgument(
        order.segments().length == numSegments,
        "an order of %s segments for a text of %s",
        order.segments().length,
        numSegments);
    if (numSegments < batchSize) {
      throw new ConfigException(
          "%s has %d segments of %d tokens, fewer than a batch of %d; choose a smaller batch or segment, or add text."
              .formatted(tokens.path(), numSegments, segmentLength, batchSize));
    }
    this.tokens = tokens;
    this.order = order;
    this.batchSize = batchSize;
    this.segmentLength = segmentLength;
    this.seed = seed;
    this.segmentsPerGroup = segmentsPerGroup;
    numGroups = numSegments / segmentsPerGroup;
    numBatches = numGroups / (batchSize / segmentsPerGroup);
  }

  @Override
  public Batch at(long microStep) {
    Preconditions.checkArgument(microStep >= 0, "microStep (%s) must not be negative", microStep);
    Epoch epoch = epoch(microStep / numBatches);
    int firstGroup = (int) (microStep % numBatches) * (batchSize / segmentsPerGroup);
    int[] inputs = new int[batchSize * segmentLength];
    int[] targets = new int[inputs.length];
    for (int i = 0; i < batchSize; i++) {
      int group = epoch.order[firstGroup + i / segmentsPerGroup];
      int place = epoch.first + group * segmentsPerGroup + i % segmentsPerGroup;
      long position = (long) order.segments()[place] * segmentLength;
      tokens.read(position, inputs, i * segmentLength, segmentLength);
      tokens.read(position + 1, targets, i * segmentLength, segmentLength);
    }
    return new Batch(batchSize, segmentLength, inputs, targets);
  }

  @Override
  public int batchSize() {
    return batchSize;
  }

  @Override
  public int segmentLength() {
    return segmentLength;
  }

  @Override
  public long batchesPerEpoch() {
    return numBatches;
  }

  /** Share of neighbours in the order that are hits of each other, see {@link SegmentOrder}. */
  public double hitRate() {
    return order.hitRate();
  }

  private Epoch epoch(long number) {
    Epoch epoch = latest;
    if (epoch == null || epoch.number != number) {
      Random random = Epochs.random(seed, number);
      int remainder = order.segments().length % segmentsPerGroup;
      epoch =
          new Epoch(
              number, random.nextInt(remainder + 1), SegmentOrder.shuffled(numGroups, random));
      latest = epoch;
    }
    return epoch;
  }
}
