package org.lathe.training.examples;

import com.google.common.base.Preconditions;

/**
 * How long the rows of a batch are made.
 *
 * @param fixed T of every batch; 0 to follow the longest row
 * @param multiple T is rounded up to a multiple of this, but never above the longest input allowed
 */
public record BatchLength(int fixed, int multiple) {
  /** The longest row, rounded up to a multiple of 8, which kernels handle best. */
  public static final BatchLength LONGEST = new BatchLength(0, 8);

  public BatchLength {
    Preconditions.checkArgument(
        fixed >= 0 && multiple > 0, "fixed (%s) or multiple (%s) is too small", fixed, multiple);
  }

  /** The same T for every batch. */
  public static BatchLength fixed(int length) {
    Preconditions.checkArgument(length > 0, "length (%s) must be positive", length);
    return new BatchLength(length, 1);
  }

  /**
   * T for these rows.
   *
   * @throws IllegalArgumentException when a row is longer than the fixed length
   */
  int of(TokenRows rows, int[] chosen) {
    int longest = 0;
    for (int row : chosen) {
      longest = Math.max(longest, rows.length(row));
    }
    if (fixed > 0) {
      Preconditions.checkArgument(
          longest <= fixed, "a row has %s tokens, the fixed length is %s", longest, fixed);
      return fixed;
    }
    return Math.min(rows.maxLength(), (longest + multiple - 1) / multiple * multiple);
  }
}
