package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.RecurrenceConfig;

/**
 * The memory that a Transformer-XL or Compressive Transformer carries from segment to segment. Such
 * a model has no absolute positions, so model.positions and model.maxPositions do not touch it.
 *
 * @param memoryLength M, positions that every layer remembers while training; 0 = not recurrent
 * @param clampLength distances beyond it are encoded as this one; 0 = no limit. May be set anew for
 *     an evaluation
 * @param compression how what leaves the memory is compressed
 * @param rate c, states that become one compressed slot
 * @param compressedLength slots of the compressed memory
 * @param lossWeight of the attention-reconstruction loss; convolution only
 * @param testMemoryLength memoryLength when measuring; 0 = as in training
 * @param testCompressedLength compressedLength when measuring; 0 = as in training
 */
public record RecurrenceSection(
    int memoryLength,
    int clampLength,
    Compression compression,
    int rate,
    int compressedLength,
    double lossWeight,
    int testMemoryLength,
    int testCompressedLength) {

  /** None is Transformer-XL, the others are the Compressive Transformer. */
  public enum Compression {
    NONE,
    @JsonProperty("mean-pooling")
    MEAN_POOLING,
    @JsonProperty("max-pooling")
    MAX_POOLING,
    CONVOLUTION,
    @JsonProperty("most-used")
    MOST_USED
  }

  private static final int MAX_LENGTH = 1_048_576;

  public RecurrenceSection {
    Check.between("recurrence.memoryLength", memoryLength, 0, MAX_LENGTH);
    Check.between("recurrence.clampLength", clampLength, 0, MAX_LENGTH);
    Check.require(
        compression == Compression.NONE || memoryLength > 0,
        "recurrence.compression",
        compression,
        "none where recurrence.memoryLength is 0");
    Check.between("recurrence.rate", rate, 2, 1_024);
    Check.between("recurrence.compressedLength", compressedLength, 1, MAX_LENGTH);
    Check.notNegative("recurrence.lossWeight", lossWeight);
    Check.between("recurrence.testMemoryLength", testMemoryLength, 0, MAX_LENGTH);
    Check.between("recurrence.testCompressedLength", testCompressedLength, 0, MAX_LENGTH);
  }

  /** Whether the model remembers at all. */
  @JsonIgnore
  public boolean present() {
    return memoryLength > 0;
  }

  /** Whether what leaves the memory is compressed. */
  @JsonIgnore
  public boolean compresses() {
    return compression != Compression.NONE;
  }

  /** The memory of the training; for a section that is present. */
  public RecurrenceConfig toRecurrenceConfig() {
    return new RecurrenceConfig(
        memoryLength,
        clampLength,
        compresses()
            ? new CompressionConfig(
                CompressionConfig.Kind.valueOf(compression.name()),
                rate,
                compressedLength,
                lossWeight)
            : CompressionConfig.NONE);
  }

  /** The memory when measuring. */
  public RecurrenceConfig toTestConfig() {
    return toRecurrenceConfig()
        .withLengths(
            testMemoryLength == 0 ? memoryLength : testMemoryLength,
            testCompressedLength == 0 ? compressedLength : testCompressedLength);
  }
}
