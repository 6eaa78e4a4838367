package org.lathe.export.format;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import java.util.Map;
import java.util.Objects;

/**
 * One predict request that a server replays before it announces a model.
 *
 * @param signature its name
 * @param wide all inputs are sent as int64, not int32
 * @param inputs by name, rows of integers, all of the same shape; the ids are always there
 */
public record WarmupRequest(String signature, boolean wide, Map<String, int[][]> inputs) {
  public WarmupRequest {
    inputs = ImmutableMap.copyOf(inputs);
    int[][] ids = inputs.get(SignatureNames.INPUT);
    Preconditions.checkArgument(ids != null, "a request needs '%s'", SignatureNames.INPUT);
    int numRows = Objects.requireNonNull(ids).length;
    Preconditions.checkArgument(numRows > 0, "a request needs at least one row");
    for (int[][] rows : inputs.values()) {
      Preconditions.checkArgument(rows.length == numRows, "inputs must have equally many rows");
      for (int[] row : rows) {
        Preconditions.checkArgument(
            row.length == ids[0].length, "rows must be equally long (pad with -1)");
      }
    }
  }

  /**
   * A request of ids alone.
   *
   * @param ids rows of equal length; for a language model -1 is padding
   */
  public WarmupRequest(String signature, boolean wide, int[][] ids) {
    this(signature, wide, ImmutableMap.of(SignatureNames.INPUT, ids));
  }

  public int[][] ids() {
    return Objects.requireNonNull(inputs.get(SignatureNames.INPUT));
  }

  public int batchSize() {
    return ids().length;
  }

  public int length() {
    return ids()[0].length;
  }
}
