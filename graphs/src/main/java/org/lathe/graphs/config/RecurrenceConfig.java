package org.lathe.graphs.config;

import com.google.common.base.Preconditions;
import org.lathe.graphs.errors.ConfigException;

/**
 * The memory of a recurrent Transformer (Dai et al. 2019, Transformer-XL): every layer attends to
 * its own inputs at the last positions of the segments before.
 *
 * @param memoryLength M, positions kept per layer; may differ between training and test
 * @param clampLength distances beyond it are encoded as this one, so that a test memory longer than
 *     the training one brings no unseen distance; 0 = no limit
 * @param compression of what leaves the memory
 */
public record RecurrenceConfig(int memoryLength, int clampLength, CompressionConfig compression) {
  public RecurrenceConfig {
    Preconditions.checkArgument(
        memoryLength > 0, "memoryLength (%s) must be positive", memoryLength);
    Preconditions.checkArgument(
        clampLength >= 0, "clampLength (%s) must not be negative", clampLength);
  }

  /** Transformer-XL with this memory and unlimited distances. */
  public static RecurrenceConfig of(int memoryLength) {
    return new RecurrenceConfig(memoryLength, 0, CompressionConfig.NONE);
  }

  public RecurrenceConfig withClampLength(int length) {
    return new RecurrenceConfig(memoryLength, length, compression);
  }

  public RecurrenceConfig withCompression(CompressionConfig newCompression) {
    return new RecurrenceConfig(memoryLength, clampLength, newCompression);
  }

  /**
   * Other memory lengths for the same weights.
   *
   * @param compressedLength ignored without compression
   */
  public RecurrenceConfig withLengths(int newMemoryLength, int compressedLength) {
    return new RecurrenceConfig(
        newMemoryLength,
        clampLength,
        compression.present()
            ? new CompressionConfig(
                compression.kind(), compression.rate(), compressedLength, compression.lossWeight())
            : compression);
  }

  /**
   * Refuses segments that the memory cannot take up: a compressed memory takes T states at a time
   * out of a memory of at least T, in groups of c.
   *
   * @throws ConfigException naming the lengths
   */
  public void requireSegmentLength(int segmentLength) {
    if (!compression.present()) {
      return;
    }
    if (memoryLength < segmentLength) {
      throw new ConfigException(
          "a compressed memory needs a memory of at least one segment: memory length "
              + memoryLength
              + ", segment length "
              + segmentLength
              + ". Lengthen the memory or shorten the segments.");
    }
    if (segmentLength % compression.rate() != 0) {
      throw new ConfigException(
          "the segment length "
              + segmentLength
              + " is not a multiple of the compression rate "
              + compression.rate()
              + "; change one of them.");
    }
  }
}
