package org.lathe.training.batching;

import com.google.common.base.Preconditions;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;

/**
 * B streams read in parallel, for models that remember (Transformer-XL): the text is cut into B
 * equal parts, and batch t of an epoch is the t-th T tokens of each part. All but the first batch
 * of an epoch continue the one before it. Each epoch starts at another random token below T, so
 * that the same words do not always stand at the borders of segments; what is left over at the end
 * of each part sits out that epoch only.
 */
public final class StreamBatches implements Batches {
  private final TokenFile tokens;
  private final int batchSize;
  private final int segmentLength;
  private final long seed;
  private final long partTokens;

  /**
   * Plans batches.
   *
   * @throws ConfigException when the text is too short for one batch
   */
  public StreamBatches(TokenFile tokens, int batchSize, int segmentLength, long seed) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    Preconditions.checkArgument(
        segmentLength > 0, "segmentLength (%s) must be positive", segmentLength);
    this.tokens = tokens;
    this.batchSize = batchSize;
    this.segmentLength = segmentLength;
    this.seed = seed;
    // a start is below segmentLength and the last target is one token further on
    partTokens = (tokens.size() - segmentLength) / batchSize;
    if (partTokens < segmentLength) {
      throw new ConfigException(
          "%s has %d tokens, but %d streams of segments of %d tokens need at least %d; choose a smaller batch or segment, or add text."
              .formatted(
                  tokens.path(),
                  tokens.size(),
                  batchSize,
                  segmentLength,
                  (batchSize + 1L) * segmentLength));
    }
  }

  @Override
  public Batch at(long microStep) {
    Preconditions.checkArgument(microStep >= 0, "microStep (%s) must not be negative", microStep);
    long epoch = microStep / batchesPerEpoch();
    long index = microStep % batchesPerEpoch();
    long start = Epochs.random(seed, epoch).nextInt(segmentLength);
    int[] inputs = new int[batchSize * segmentLength];
    int[] targets = new int[inputs.length];
    for (int row = 0; row < batchSize; row++) {
      long position = start + row * partTokens + index * segmentLength;
      tokens.read(position, inputs, row * segmentLength, segmentLength);
      tokens.read(position + 1, targets, row * segmentLength, segmentLength);
    }
    return new Batch(batchSize, segmentLength, inputs, targets, index > 0);
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
    return partTokens / segmentLength;
  }
}
