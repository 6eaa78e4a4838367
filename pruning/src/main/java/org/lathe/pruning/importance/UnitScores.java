package org.lathe.pruning.importance;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Doubles;
import java.util.Arrays;

/**
 * How much each head and each feed-forward unit matters; more is more. Arrays are not copied.
 *
 * @param heads [L][N]
 * @param intermediate [L][F]
 */
public record UnitScores(double[][] heads, double[][] intermediate) {
  public UnitScores {
    Preconditions.checkArgument(
        heads.length == intermediate.length,
        "scores of heads of %s layers, of units of %s",
        heads.length,
        intermediate.length);
  }

  /**
   * Numbers 0 (matters least) to n - 1 of the n values of all rows together; ties by place, the
   * first one lowest.
   *
   * @return of the same shape
   */
  static int[][] ranks(double[][] scores) {
    double[] flat = Doubles.concat(scores);
    Integer[] order = new Integer[flat.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(flat[a], flat[b])); // stable
    int[] rankOf = new int[flat.length];
    for (int rank = 0; rank < order.length; rank++) {
      rankOf[order[rank]] = rank;
    }
    int[][] ranks = new int[scores.length][];
    int next = 0;
    for (int row = 0; row < scores.length; row++) {
      ranks[row] = Arrays.copyOfRange(rankOf, next, next + scores[row].length);
      next += scores[row].length;
    }
    return ranks;
  }
}
