package org.lathe.training.memory;

import java.util.Arrays;

/**
 * Masses of a memory at every position of a text and every temperature of a fixed grid, computed
 * while the scores are at hand: tuning then needs no scores. The temperatures fall by a factor of
 * 2^(1/4) from 4 to 0.149; halving a temperature squares exp(s / temperature), so that four
 * exponentials an item serve the whole grid.
 */
public final class MassGrid {
  /** T. */
  public static final int NUM_TEMPERATURES = 20;

  private static final int STEPS_PER_HALVING = 4;
  private static final double HIGHEST_TEMPERATURE = 4;

  /** Below e^-60 of the largest an item does not change a sum of doubles, whatever its number. */
  private static final double NEGLIGIBLE = -60;

  private final double[] all;
  private final double[] matching;
  private final int numPositions;

  /** All masses are empty until they are set. */
  public MassGrid(int numPositions) {
    this.numPositions = numPositions;
    int size = Math.multiplyExact(numPositions, NUM_TEMPERATURES);
    all = new double[size];
    matching = new double[size];
    Arrays.fill(all, Double.NEGATIVE_INFINITY);
    Arrays.fill(matching, Double.NEGATIVE_INFINITY);
  }

  /** Masses of the items that a scan shows. */
  public static MassGrid of(MemoryScan scan) {
    int[] targets = scan.text().targets();
    MassGrid grid = new MassGrid(targets.length);
    scan.forEachInParallel(
        (position, scores, values, numItems) ->
            grid.set(position, scores, values, 0, numItems, targets[position]));
    return grid;
  }

  public int numPositions() {
    return numPositions;
  }

  /** Temperature t, falling. */
  public static double temperature(int t) {
    return HIGHEST_TEMPERATURE * Math.pow(2, -t / (double) STEPS_PER_HALVING);
  }

  /**
   * Sets the masses of a position from its items; safe for several threads at different positions.
   *
   * @param scores s_j; negative infinity = no item
   * @param begin first item
   * @param end after the last item
   */
  public void set(int position, float[] scores, int[] values, int begin, int end, int target) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = begin; j < end; j++) {
      max = Math.max(max, scores[j]);
    }
    if (max == Float.NEGATIVE_INFINITY) {
      return;
    }
    double[] sums = new double[NUM_TEMPERATURES];
    double[] matches = new double[NUM_TEMPERATURES];
    double[] slopes = new double[STEPS_PER_HALVING];
    for (int step = 0; step < STEPS_PER_HALVING; step++) {
      slopes[step] = 1 / temperature(step);
    }
    for (int j = begin; j < end; j++) {
      double below = scores[j] - max;
      if (below * slopes[0] < NEGLIGIBLE) {
        continue;
      }
      for (int step = 0; step < STEPS_PER_HALVING; step++) {
        double mass = Math.exp(below * slopes[step]);
        for (int t = step; t < NUM_TEMPERATURES; t += STEPS_PER_HALVING) {
          sums[t] += mass;
          if (values[j] == target) {
            matches[t] += mass;
          }
          mass *= mass;
        }
      }
    }
    int at = position * NUM_TEMPERATURES;
    for (int t = 0; t < NUM_TEMPERATURES; t++) {
      double shift = max / temperature(t);
      all[at + t] = shift + Math.log(sums[t]);
      matching[at + t] = shift + Math.log(matches[t]);
    }
  }

  /** Mass at temperature t. */
  public MemoryMass at(int position, int t) {
    int at = position * NUM_TEMPERATURES + t;
    return new MemoryMass(all[at], matching[at]);
  }
}
