package org.lathe.training.batching;

import com.google.common.base.Preconditions;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.similarity.SegmentOrder;

/**
 * Batches of groups of consecutive segments. In each epoch the text is cut from another random
 * start into groups of m * T tokens, and the groups are shuffled; a batch is B / m groups. Tokens
 * before the start and after the last full batch sit out that epoch only.
 */
final class SegmentGroups implements Batches {
  private record Epoch(long number, long start, int[] order) {}

  private final TokenFile tokens;
  private final int batchSize;
  private final int segmentLength;
  private final int groupsPerBatch;
  private final long groupTokens;
  private final int numGroups;
  private final long seed;

  // only remembers what the epoch number determines
  private volatile @Nullable Epoch latest;

  /**
   * Plans batches.
   *
   * @throws ConfigException when the text is too short for one batch from any start
   */
  SegmentGroups(
      TokenFile tokens, int batchSize, int segmentLength, int segmentsPerGroup, long seed) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    Preconditions.checkArgument(
        segmentLength > 0, "segmentLength (%s) must be positive", segmentLength);
    Preconditions.checkArgument(
        segmentsPerGroup > 0 && batchSize % segmentsPerGroup == 0,
        "segmentsPerGroup (%s) must divide batchSize (%s)",
        segmentsPerGroup,
        batchSize);
    this.tokens = tokens;
    this.batchSize = batchSize;
    this.segmentLength = segmentLength;
    this.seed = seed;
    groupsPerBatch = batchSize / segmentsPerGroup;
    groupTokens = (long) segmentsPerGroup * segmentLength;
    // a start is below groupTokens and the last target is one token further on
    numGroups = (int) Math.min(Integer.MAX_VALUE, (tokens.size() - groupTokens) / groupTokens);
    if (tokens.size() < groupTokens || numGroups < groupsPerBatch) {
      throw new ConfigException(
          "%s has %d tokens, but batches of %d segments of %d tokens need at least %d; choose a smaller batch or segment, or add text."
              .formatted(
                  tokens.path(),
                  tokens.size(),
                  batchSize,
                  segmentLength,
                  (groupsPerBatch + 1) * groupTokens));
    }
  }

  @Override
  public Batch at(long microStep) {
    Preconditions.checkArgument(microStep >= 0, "microStep (%s) must not be negative", microStep);
    Epoch epoch = epoch(microStep / batchesPerEpoch());
    int first = (int) (microStep % batchesPerEpoch()) * groupsPerBatch;
    int[] inputs = new int[batchSize * segmentLength];
    int[] targets = new int[inputs.length];
    int length = (int) groupTokens;
    for (int i = 0; i < groupsPerBatch; i++) {
      long position = epoch.start + epoch.order[first + i] * groupTokens;
      tokens.read(position, inputs, i * length, length);
      tokens.read(position + 1, targets, i * length, length);
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
    return numGroups / groupsPerBatch;
  }

  private Epoch epoch(long number) {
    Epoch epoch = latest;
    if (epoch == null || epoch.number != number) {
      epoch = plan(number);
      latest = epoch;
    }
    return epoch;
  }

  private Epoch plan(long number) {
    Random random = Epochs.random(seed, number);
    long start = random.nextInt((int) groupTokens);
    return new Epoch(number, start, SegmentOrder.shuffled(numGroups, random));
  }
}
