package org.lathe.training.memory;

import com.google.common.base.Preconditions;

/**
 * Items of one memory that one position sees.
 *
 * @param scores s_j; negative infinity = no item
 * @param values tokens y_j
 */
public record ItemScores(float[] scores, int[] values) {
  public ItemScores {
    Preconditions.checkArgument(
        scores.length == values.length,
        "%s scores and %s values do not belong together",
        scores.length,
        values.length);
  }
}
