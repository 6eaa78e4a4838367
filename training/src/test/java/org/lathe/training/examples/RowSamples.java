package org.lathe.training.examples;

import java.util.Arrays;
import java.util.Random;

/** Token rows for tests: row r is made of the id r + 1, so that batches show what they hold. */
final class RowSamples {
  static final int PAD = 0;

  private RowSamples() {}

  static TokenRows random(Random random, int numRows, int maxLength) {
    int[] lengths = random.ints(numRows, 1, maxLength + 1).toArray();
    return ofLengths(maxLength, lengths);
  }

  static TokenRows ofLengths(int maxLength, int... lengths) {
    int[][] ids = new int[lengths.length][];
    int[][] types = new int[lengths.length][];
    int[] classes = new int[lengths.length];
    for (int row = 0; row < lengths.length; row++) {
      ids[row] = new int[lengths[row]];
      types[row] = new int[lengths[row]];
      Arrays.fill(ids[row], row + 1);
      types[row][lengths[row] - 1] = 1;
      classes[row] = row % 3;
    }
    return new TokenRows(ids, types, RowTargets.ofClasses(classes), PAD, maxLength);
  }
}
