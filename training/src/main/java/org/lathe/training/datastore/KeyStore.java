package org.lathe.training.datastore;

import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;

/**
 * Keys and values of a text's positions, in the heap: g_j and the token y_j that followed.
 *
 * @param keys row-major (n, width)
 * @param values n tokens
 */
public record KeyStore(float[] keys, int[] values, int width) {

  /** Every position of a scored text once, as it was encoded when it was scored. */
  public static KeyStore of(ScoredText text) {
    float[] keys = new float[text.numPositions() * text.width()];
    for (int w = 0; w < text.windows().size(); w++) {
      SlidingWindows.Window window = text.windows().get(w);
      int from = (window.scoredFrom() - window.begin()) * text.width();
      float[] taps = text.taps().get(w);
      System.arraycopy(taps, from, keys, window.scoredFrom() * text.width(), taps.length - from);
    }
    return new KeyStore(keys, text.targets(), text.width());
  }
}
