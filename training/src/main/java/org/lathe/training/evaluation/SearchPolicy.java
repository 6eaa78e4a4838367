package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.Arrays;

/**
 * Where a store is searched, and what else is retrieved from it. Positions at which the model is
 * sure of the next word gain least from a search and keep what they have without (after He et al.
 * 2021).
 *
 * @param skipAbove ln of a probability: positions of a larger {@link ScoredText#confidence} are not
 *     searched; infinity = all are
 * @param pointers whether the items that follow those of the position before are candidates too,
 *     and the only ones where nothing is searched (after RetoMaton, Alon et al. 2022)
 */
public record SearchPolicy(double skipAbove, boolean pointers) {
  /** Every position is searched, and nothing else is looked at. */
  public static final SearchPolicy EVERYWHERE = new SearchPolicy(Double.POSITIVE_INFINITY, false);

  public SearchPolicy {
    Preconditions.checkArgument(!Double.isNaN(skipAbove), "skipAbove must be a number");
  }

  /**
   * Skips the surest positions of a text.
   *
   * @param skippedShare at most this part of the positions, in [0, 1); less where several are
   *     equally sure
   * @param confidence of the positions to choose by, usually the validation text's
   */
  public static SearchPolicy skipping(double skippedShare, double[] confidence, boolean pointers) {
    Preconditions.checkArgument(
        skippedShare >= 0 && skippedShare < 1,
        "the share of skipped positions (%s) must be in [0, 1)",
        skippedShare);
    if (skippedShare == 0) {
      return new SearchPolicy(Double.POSITIVE_INFINITY, pointers);
    }
    Preconditions.checkArgument(confidence.length > 0, "there is no position to choose by");
    double[] sorted = confidence.clone();
    Arrays.sort(sorted);
    int numSkipped = (int) (skippedShare * sorted.length);
    return new SearchPolicy(sorted[sorted.length - 1 - numSkipped], pointers);
  }

  /** Whether a position of this confidence is searched. */
  public boolean searches(double confidence) {
    return confidence <= skipAbove;
  }

  /** Whether some positions may be left out. */
  public boolean skips() {
    return skipAbove < Double.POSITIVE_INFINITY;
  }
}
