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
   * @param scores s_j of the visible items; negative infinity = no item
   * @param values their tokens
   * @param begin first item to count
   * @param end after the last item
   */
  public static MemoryMass of(
      float[] scores, int[] values, int begin, int end, int target, double temperature) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = begin; j < end; j++) {
      max = Math.max(max, scores[j]);
    }
    if (max == Float.NEGATIVE_INFINITY) {
      return EMPTY;
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

  /** Mass of both sets of items together. */
  public MemoryMass plus(MemoryMass other) {
    return new MemoryMass(logAdd(all, other.all), logAdd(matching, other.matching));
  }

  /** Whether no item is visible. */
  public boolean isEmpty() {
    return all == Double.NEGATIVE_INFINITY;
  }

  /** ln(e^a + e^b). */
  public static double logAdd(double a, double b) {
    double max = Math.max(a, b);
    return max == Double.NEGATIVE_INFINITY ? max : max + Math.log1p(Math.exp(Math.min(a, b) - max));
  }
}
