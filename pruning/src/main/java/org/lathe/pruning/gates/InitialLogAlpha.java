package org.lathe.pruning.gates;

/**
 * Where log alpha starts, in the mean. Adam moves all logits at one pace, so that under the pull of
 * the target gates that start alike close together, before the loss has told them apart. Where
 * coarse gates start higher, the fine ones within go first, and a whole sublayer follows only when
 * it is still not needed. A gate at 2 is open with probability sigma(2 + 1.6) = 0.973 and reaches
 * the threshold -1.6 in 36 Adam steps of 0.1. CoFi's code starts intermediate units at 0 and all
 * else at 10.
 *
 * @param fine of heads and intermediate units
 * @param coarse of sublayers and hidden dimensions
 */
public record InitialLogAlpha(double fine, double coarse) {

  /** The same for all kinds. */
  public static InitialLogAlpha of(double mean) {
    return new InitialLogAlpha(mean, mean);
  }

  double of(GateKind kind) {
    return switch (kind) {
      case HEADS, INTERMEDIATE -> fine;
      case ATTENTION_LAYER, FEED_FORWARD_LAYER, HIDDEN -> coarse;
    };
  }
}
