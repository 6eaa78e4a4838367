package org.lathe.training.memory;

/**
 * Logarithms of the memory's mass for one position: ln sum exp(s_j / temperature) over all visible
 * items, and over those whose value is the target. Negative infinity where there is none.
 */
public record MemoryMass(double all, double matching) {
  /** No visible item. */
  public static final MemoryMass EMPTY =
      new MemoryMass(Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY);

  /**
   * @param scores s_j of the visible items
   * @param values their tokens
   * @param begin first item to count
   * @param end after the last item
   */
  public static MemoryMass of(
      float[] scores, int[] values, int begin, int end, int target, double temperature) {
    if (begin >= end) {
      return EMPTY;
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int j = begin; j < end; j++) {
      max = Math.max(max, scores[j]);
    }
    double all = 0;
    double matching = 0;
    for (int j = begin; j < end; j++) {
      double mass = Math.exp((scores[j] - max) / temperature);
      all += mass;
      if (values[j] == target) {
        matching += mass;
      }
    }
    double shift = max / temperature;
    return new MemoryMass(shift + Math.log(all), shift + Math.log(matching));
  }

  /** ln(e^a + e^b). */
  public static double logAdd(double a, double b) {
    double max = Math.max(a, b);
    return max == Double.NEGATIVE_INFINITY ? max : max + Math.log1p(Math.exp(Math.min(a, b) - max));
  }
}
