package org.lathe.export.format;

import com.google.common.base.Preconditions;

/**
 * One predict request that a server replays before it announces a model.
 *
 * @param signature its name
 * @param wide ids are sent as int64, not int32
 * @param ids rows of equal length; -1 is padding
 */
public record WarmupRequest(String signature, boolean wide, int[][] ids) {
  public WarmupRequest {
    Preconditions.checkArgument(ids.length > 0, "a request needs at least one row");
    for (int[] row : ids) {
      Preconditions.checkArgument(
          row.length == ids[0].length, "rows must be equally long (pad with -1)");
    }
  }

  public int batchSize() {
    return ids.length;
  }

  public int length() {
    return ids[0].length;
  }
}
