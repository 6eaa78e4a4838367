package org.lathe.pruning.plan;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.lathe.graphs.config.BlockShape;

/**
 * What is kept of one layer; an empty list means that the sublayer is removed.
 *
 * @param keptHeads indices in the full layer, increasing
 * @param keptIntermediate indices of feed-forward units in the full layer, increasing
 */
public record LayerPlan(List<Integer> keptHeads, List<Integer> keptIntermediate) {
  public LayerPlan {
    keptHeads = ImmutableList.copyOf(keptHeads);
    keptIntermediate = ImmutableList.copyOf(keptIntermediate);
  }

  /** The slim block. */
  public BlockShape shape() {
    return new BlockShape(keptHeads.size(), keptIntermediate.size());
  }
}
