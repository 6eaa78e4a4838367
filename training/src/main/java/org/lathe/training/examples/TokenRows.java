package org.lathe.training.examples;

import com.google.common.base.Preconditions;

/**
 * N tokenized inputs of their own lengths, ready to be batched.
 *
 * @param ids token ids, N rows
 * @param tokenTypes segments, as ids
 * @param targets of all rows, or none
 * @param padId what fills rows of a batch
 * @param maxLength most tokens of a row
 */
public record TokenRows(
    int[][] ids, int[][] tokenTypes, RowTargets targets, int padId, int maxLength) {
  public TokenRows {
    Preconditions.checkArgument(
        ids.length > 0 && ids.length == tokenTypes.length && targets.fit(ids.length),
        "%s rows of ids, %s of token types; expected as many, with targets for each or none",
        ids.length,
        tokenTypes.length);
    for (int i = 0; i < ids.length; i++) {
      Preconditions.checkArgument(
          ids[i].length == tokenTypes[i].length && ids[i].length > 0 && ids[i].length <= maxLength,
          "row %s has %s ids and %s token types; expected as many, from 1 to %s",
          i,
          ids[i].length,
          tokenTypes[i].length,
          maxLength);
    }
  }

  /** N. */
  public int size() {
    return ids.length;
  }

  /** Tokens of a row. */
  public int length(int row) {
    return ids[row].length;
  }
}
