package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.lathe.training.memory.MemoryScan;

/**
 * Which items of a store that was made of the evaluated text itself a position must not retrieve:
 * its own, whose value is the answer (leave-one-out), those that its recent memory shows already
 * (no item counts twice), and those within a radius, whose keys have read nearly the same tokens.
 */
public final class OwnPositions {
  /** The store holds nothing of the text. */
  public static final OwnPositions NONE = new OwnPositions(new int[0], 0);

  private final int[] lowest;
  private final int radius;

  private OwnPositions(int[] lowest, int radius) {
    this.lowest = lowest;
    this.radius = radius;
  }

  /**
   * For a store whose position p is the text's position p.
   *
   * @param recent the memory used besides; null = none
   * @param radius positions on either side that are excluded too
   */
  public static OwnPositions of(ScoredText text, @Nullable MemoryScan recent, int radius) {
    Preconditions.checkArgument(radius >= 0, "radius (%s) must not be negative", radius);
    int[] lowest = new int[text.numPositions()];
    Arrays.setAll(lowest, i -> Math.min(i - radius, recent == null ? i : recent.oldestVisible(i)));
    return new OwnPositions(lowest, radius);
  }

  /** Whether the store holds anything of the text, so that there is something to exclude. */
  boolean excludesAny() {
    return lowest.length > 0;
  }

  /** Whether a query must not see this stored position. */
  public boolean excludes(int query, long storedPosition) {
    return excludesAny()
        && storedPosition >= lowest[query]
        && storedPosition <= query + (long) radius;
  }

  /** The most items that are excluded for any one query. */
  public int margin() {
    int margin = 0;
    for (int i = 0; i < lowest.length; i++) {
      margin = Math.max(margin, i + radius - lowest[i] + 1);
    }
    return margin;
  }
}
