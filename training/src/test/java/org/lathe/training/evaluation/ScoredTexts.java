package org.lathe.training.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Scored texts of random numbers; a window's taps differ from those of its neighbours. */
public final class ScoredTexts {
  private ScoredTexts() {}

  /** 2 to 60 positions, windows of 1 to 20, width 1 to 9, at most 5 tokens. */
  public static ScoredText random(Random random) {
    int window = 1 + random.nextInt(20);
    return random(random, 2 + random.nextInt(59), window, 1 + random.nextInt(window));
  }

  public static ScoredText random(Random random, int numPositions, int window, int stride) {
    return random(random, numPositions, window, stride, 1 + random.nextInt(9));
  }

  /** With g of this width. */
  public static ScoredText random(
      Random random, int numPositions, int window, int stride, int width) {
    List<SlidingWindows.Window> windows = new SlidingWindows(window, stride).over(numPositions);
    List<float[]> taps = new ArrayList<>();
    for (SlidingWindows.Window one : windows) {
      float[] values = new float[(one.end() - one.begin()) * width];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      taps.add(values);
    }
    double[] mass = new double[numPositions];
    double[] logits = new double[numPositions];
    double[] confidence = new double[numPositions];
    int[] targets = new int[numPositions];
    for (int i = 0; i < numPositions; i++) {
      targets[i] = random.nextInt(5);
      logits[i] = random.nextGaussian() * 3;
      mass[i] = logits[i] + Math.log1p(Math.exp(random.nextGaussian() * 3));
    }
    // the right word is one of those that are looked at
    Arrays.setAll(confidence, i -> (logits[i] - mass[i]) * random.nextDouble());
    return new ScoredText(targets, mass, logits, confidence, windows, taps, width);
  }

  /** The window that scores this position. */
  public static int windowOf(ScoredText text, int position) {
    for (int w = 0; w < text.windows().size(); w++) {
      SlidingWindows.Window window = text.windows().get(w);
      if (window.scoredFrom() <= position && position < window.end()) {
        return w;
      }
    }
    throw new IllegalArgumentException("nobody scores " + position);
  }

  /** g of a position as this window encodes it. */
  public static float[] tap(ScoredText text, int window, int position) {
    int from = (position - text.windows().get(window).begin()) * text.width();
    return Arrays.copyOfRange(text.taps().get(window), from, from + text.width());
  }
}
