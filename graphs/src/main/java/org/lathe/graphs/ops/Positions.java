package org.lathe.graphs.ops;

/** Absolute position tables. */
public final class Positions {
  /** Wavelengths run from 2 pi to this times 2 pi (Vaswani et al. 2017, section 3.5). */
  private static final double MAX_WAVELENGTH_FACTOR = 10_000;

  private Positions() {}

  /**
   * Sinusoidal table (positions, D), row-major: with h = D / 2 frequencies w_i = 10000^(-i / (h -
   * 1)), entry [t, i] = sin(t w_i) and entry [t, h + i] = cos(t w_i); an odd last column is 0. This
   * is the layout of fairseq and tensor2tensor (sines first, then cosines).
   */
  public static float[] sinusoidal(int numPositions, int hiddenSize) {
    int half = hiddenSize / 2;
    float[] table = new float[numPositions * hiddenSize];
    for (int t = 0; t < numPositions; t++) {
      for (int i = 0; i < half; i++) {
        double exponent = half > 1 ? (double) i / (half - 1) : 0;
        double angle = t * Math.pow(MAX_WAVELENGTH_FACTOR, -exponent);
        table[t * hiddenSize + i] = (float) Math.sin(angle);
        table[t * hiddenSize + half + i] = (float) Math.cos(angle);
      }
    }
    return table;
  }
}
