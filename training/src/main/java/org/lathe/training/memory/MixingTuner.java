package org.lathe.training.memory;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses temperature and interpolation on validation text: one pass over the memory's scores,
 * every candidate scored beside the others.
 */
public final class MixingTuner {
  /** Temperatures tried, in units of s. */
  public static final ImmutableList<Double> TEMPERATURES =
      ImmutableList.of(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.15, 1.3, 1.6, 2.0);

  /** Interpolation weights tried. */
  public static final ImmutableList<Double> INTERPOLATIONS =
      ImmutableList.of(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6);

  private final List<Mixing> candidates;
  private final double[] sums;
  private int numPositions;

  public MixingTuner(List<Mixing> candidates) {
    this.candidates = ImmutableList.copyOf(candidates);
    this.sums = new double[candidates.size()];
  }

  /** Temperatures of a shared softmax. */
  public static List<Mixing> sharedCandidates() {
    return TEMPERATURES.stream().map(Mixing::shared).toList();
  }

  /** All pairs of temperature and interpolation. */
  public static List<Mixing> linearCandidates() {
    List<Mixing> pairs = new ArrayList<>();
    for (double temperature : TEMPERATURES) {
      for (double interpolation : INTERPOLATIONS) {
        pairs.add(Mixing.linear(temperature, interpolation));
      }
    }
    return pairs;
  }

  /** Adds one position with these items. */
  public void add(
      double vocabularyMass,
      double targetLogit,
      float[] scores,
      int[] values,
      int numItems,
      int target) {
    double temperature = Double.NaN;
    MemoryMass mass = MemoryMass.EMPTY;
    for (int c = 0; c < sums.length; c++) {
      Mixing mixing = candidates.get(c);
      // candidates come sorted by temperature: the sums over items are shared
      if (mixing.temperature() != temperature) {
        temperature = mixing.temperature();
        mass = MemoryMass.of(scores, values, 0, numItems, target, temperature);
      }
      sums[c] -= mixing.logProbability(vocabularyMass, targetLogit, mass);
    }
    numPositions++;
  }

  /** The candidate with the lowest loss. */
  public Mixing best() {
    int best = 0;
    for (int c = 1; c < sums.length; c++) {
      if (sums[c] < sums[best]) {
        best = c;
      }
    }
    return candidates.get(best);
  }

  /** Perplexity of the best candidate on what was added. */
  public double bestPerplexity() {
    double min = Double.POSITIVE_INFINITY;
    for (double sum : sums) {
      min = Math.min(min, sum);
    }
    return Math.exp(min / numPositions);
  }
}
