package org.lathe.training.evaluation;

import java.util.List;

/**
 * What a language model says about a text, position by position, before any memory is consulted.
 * Position i reads token i and predicts token i + 1.
 *
 * @param targets y of each position
 * @param vocabularyMass Zv = ln sum_w exp(a_w)
 * @param targetLogits a_y
 * @param windows the windows in order
 * @param taps g of every position of every window, window by window, row-major (W, D): context
 *     positions are encoded anew in each window
 * @param width D of g
 */
public record ScoredText(
    int[] targets,
    double[] vocabularyMass,
    double[] targetLogits,
    List<SlidingWindows.Window> windows,
    List<float[]> taps,
    int width) {

  public int numPositions() {
    return targets.length;
  }

  /** ln P(y) of the vocabulary softmax alone. */
  public double vocabularyLogProbability(int position) {
    return targetLogits[position] - vocabularyMass[position];
  }
}
