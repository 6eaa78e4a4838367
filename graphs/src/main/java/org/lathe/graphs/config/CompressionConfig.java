package org.lathe.graphs.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.google.common.base.Preconditions;

/**
 * What becomes of the states that leave the memory of a recurrent model (Rae et al. 2020,
 * Compressive Transformer): every {@code rate} of them become one slot of a second, older memory.
 *
 * @param kind how states become one slot; NONE = they are forgotten (Transformer-XL)
 * @param rate c, states a slot; 3 to 4 in the paper
 * @param length slots of the compressed memory, in all layers alike
 * @param lossWeight factor on the attention-reconstruction loss (CONVOLUTION only)
 */
public record CompressionConfig(Kind kind, int rate, int length, double lossWeight) {

  /** Ways of making one slot of c states; only the convolution has weights. */
  public enum Kind {
    NONE,
    /** Their mean. */
    MEAN_POOLING,
    /** Their greatest value in each dimension. */
    MAX_POOLING,
    /** A learned convolution of kernel and stride c. */
    CONVOLUTION,
    /** Of the states that leave together, the share 1 / c that was attended to most. */
    MOST_USED
  }

  /** Nothing is compressed. */
  public static final CompressionConfig NONE = new CompressionConfig(Kind.NONE, 1, 0, 0);

  public CompressionConfig {
    Preconditions.checkArgument(
        kind == Kind.NONE ? length == 0 : length > 0,
        "the compressed memory of kind %s has length %s",
        kind,
        length);
    Preconditions.checkArgument(
        kind == Kind.NONE ? rate == 1 : rate > 1,
        "compression of kind %s has rate %s; expected at least 2, or 1 without compression",
        kind,
        rate);
    Preconditions.checkArgument(
        lossWeight >= 0 && Double.isFinite(lossWeight),
        "lossWeight (%s) must not be negative",
        lossWeight);
  }

  @JsonIgnore
  public boolean present() {
    return kind != Kind.NONE;
  }

  /** Whether there are weights that the reconstruction loss trains. */
  @JsonIgnore
  public boolean learned() {
    return kind == Kind.CONVOLUTION;
  }
}
