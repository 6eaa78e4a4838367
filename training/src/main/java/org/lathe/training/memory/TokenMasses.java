package org.lathe.training.memory;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The mass of some items of one position for every token at once, see {@link MemoryMass}. */
final class TokenMasses {
  /** Nobody's value: only the mass of all is asked for. */
  private static final int NO_TOKEN = Integer.MIN_VALUE;

  private final double all;
  private final Map<Integer, Double> matching = new HashMap<>();

  private TokenMasses(double all) {
    this.all = all;
  }

  /** At this temperature. */
  static TokenMasses of(ItemScores items, double temperature) {
    float[] scores = items.scores();
    int[] values = items.values();
    // value above, item below: equal values stand together after sorting
    long[] order = new long[values.length];
    Arrays.setAll(order, j -> ((long) values[j] << Integer.SIZE) | j);
    Arrays.sort(order);
    float[] sorted = new float[order.length];
    int[] sortedValues = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      sorted[i] = scores[(int) order[i]];
      sortedValues[i] = (int) (order[i] >> Integer.SIZE);
    }
    TokenMasses masses =
        new TokenMasses(
            MemoryMass.of(sorted, sortedValues, 0, sorted.length, NO_TOKEN, temperature).all());
    for (int begin = 0; begin < sorted.length; ) {
      int token = sortedValues[begin];
      int end = begin;
      while (end < sorted.length && sortedValues[end] == token) {
        end++;
      }
      masses.matching.put(
          token, MemoryMass.of(sorted, sortedValues, begin, end, token, temperature).matching());
      begin = end;
    }
    return masses;
  }

  /** With this token as the target. */
  MemoryMass at(int token) {
    return new MemoryMass(all, matching.getOrDefault(token, Double.NEGATIVE_INFINITY));
  }
}
