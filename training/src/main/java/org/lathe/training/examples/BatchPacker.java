package org.lathe.training.examples;

import java.util.Arrays;

/** Lays chosen rows out as a batch. */
final class BatchPacker {
  private BatchPacker() {}

  /** A batch of these rows, of which the first numRows count. */
  static ExampleBatch pack(TokenRows rows, int[] chosen, int numRows, BatchLength batchLength) {
    int length = batchLength.of(rows, chosen);
    int[] ids = new int[chosen.length * length];
    int[] mask = new int[ids.length];
    int[] tokenTypes = new int[ids.length];
    for (int i = 0; i < chosen.length; i++) {
      int row = chosen[i];
      int start = i * length;
      int size = rows.length(row);
      System.arraycopy(rows.ids()[row], 0, ids, start, size);
      System.arraycopy(rows.tokenTypes()[row], 0, tokenTypes, start, size);
      Arrays.fill(mask, start, start + size, 1);
      Arrays.fill(ids, start + size, start + length, rows.padId());
    }
    return new ExampleBatch(
        chosen.length, length, numRows, chosen, ids, mask, tokenTypes, rows.targets().of(chosen));
  }
}
