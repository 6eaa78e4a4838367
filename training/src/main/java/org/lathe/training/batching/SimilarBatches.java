package org.lathe.training.batching;

import com.google.common.base.Preconditions;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.similarity.SegmentOrder;

/**
 * Batches of B segments that resemble each other (TRIME section 4.2, for external memory): an order
 * of all segments, cut into runs of B, the runs shuffled anew in each epoch. Where B does not
 * divide the number of segments, the remainder is left out at the two ends of the order, split
 * between them anew in each epoch. Unlike in the other batches, the text is always cut into
 * segments from its start, since the order belongs to these segments.
 */
public final class SimilarBatches implements Batches {
  private record Epoch(long number, int first, int[] order) {}

  private final TokenFile tokens;
  private final SegmentOrder order;
  private final int batchSize;
  private final int segmentLength;
  private final int numBatches;
  private final long seed;

  // only remembers what the epoch number determines
  private volatile @Nullable Epoch latest;

  /**
   * Plans batches.
   *
   * @param order of the segments of these tokens at this length
   * @throws ConfigException when the text is too short for one batch
   */
  public SimilarBatches(
      TokenFile tokens, SegmentOrder order, int batchSize, int segmentLength, long seed) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
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
    numBatches = numSegments / batchSize;
  }

  @Override
  public Batch at(long microStep) {
    Preconditions.checkArgument(microStep >= 0, "microStep (%s) must not be negative", microStep);
    Epoch epoch = epoch(microStep / numBatches);
    int first = epoch.first + epoch.order[(int) (microStep % numBatches)] * batchSize;
    int[] inputs = new int[batchSize * segmentLength];
    int[] targets = new int[inputs.length];
    for (int i = 0; i < batchSize; i++) {
      long position = (long) order.segments()[first + i] * segmentLength;
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
      int remainder = order.segments().length % batchSize;
      epoch =
          new Epoch(
              number, random.nextInt(remainder + 1), SegmentOrder.shuffled(numBatches, random));
      latest = epoch;
    }
    return epoch;
  }
}
