package org.lathe.training.evaluation;

import java.util.List;

/**
 * What a language model says about a text, position by position, before any memory is consulted.
 * Position i reads token i and predicts token i + 1.
 *
 * @param targets y of each position
 * @param vocabularyMass Zv = ln sum_w exp(a_w)
 * @param targetLogits a_y
 * @param confidence ln of the largest word probability among the words that are computed anyway:
 *     the whole table, or the first cluster of an adaptive vocabulary. Known before any search
 * @param windows the windows in order
 * @param taps g of every position of every window, window by window, row-major (W, D): context
 *     positions are encoded anew in each window
 * @param width D of g
 */
public record ScoredText(
    int[] targets,
    double[] vocabularyMass,
    double[] targetLogits,
    double[] confidence,
    List<SlidingWindows.Window> windows,
    List<float[]> taps,
    int width) {

  /** ln P of the word with the largest logit; the rounding of float32 must not lift P above 1. */
  static double confidence(float vocabularyMass, float largestLogit) {
    return Math.min(0, (double) largestLogit - vocabularyMass);
  }

  public int numPositions() {
    return targets.length;
  }

  /** ln P(y) of the vocabulary softmax alone. */
  public double vocabularyLogProbability(int position) {
    return targetLogits[position] - vocabularyMass[position];
  }

  /** Index of the window that scores this position. */
  public int windowOf(int position) {
    int low = 0;
    int high = windows.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (position < windows.get(middle).end()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** g of every position once, as it was encoded when it was scored; row-major (n, D). */
  public float[] scoredKeys() {
    float[] keys = new float[Math.multiplyExact(numPositions(), width)];
    for (int w = 0; w < windows.size(); w++) {
      SlidingWindows.Window window = windows.get(w);
      int from = (window.scoredFrom() - window.begin()) * width;
      float[] some = taps.get(w);
      System.arraycopy(some, from, keys, window.scoredFrom() * width, some.length - from);
    }
    return keys;
  }

  /** Copies g of a position, as its own window encodes it, to target from offset on. */
  public void copyQuery(int position, float[] target, int offset) {
    int w = windowOf(position);
    int from = (position - windows.get(w).begin()) * width;
    System.arraycopy(taps.get(w), from, target, offset, width);
  }
}
