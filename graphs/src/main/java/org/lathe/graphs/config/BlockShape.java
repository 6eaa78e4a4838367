package org.lathe.graphs.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.google.common.base.Preconditions;

/**
 * The shape of one Transformer block. A slim model is a list of these: a sublayer whose width is
 * zero is absent, and the block passes its input on.
 *
 * @param numHeads attention heads N of this block; 0 = no attention sublayer
 * @param intermediateSize feed-forward width F of this block; 0 = no feed-forward sublayer
 */
public record BlockShape(int numHeads, int intermediateSize) {
  public BlockShape {
    Preconditions.checkArgument(numHeads >= 0, "numHeads (%s) must not be negative", numHeads);
    Preconditions.checkArgument(
        intermediateSize >= 0, "intermediateSize (%s) must not be negative", intermediateSize);
  }

  @JsonIgnore
  public boolean attentionPresent() {
    return numHeads > 0;
  }

  @JsonIgnore
  public boolean feedForwardPresent() {
    return intermediateSize > 0;
  }
}
