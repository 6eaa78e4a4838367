package org.lathe.graphs.ops;

import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;

/** Sinusoidal encodings of absolute positions and of distances. */
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
        double angle = t * frequency(i, half);
        table[t * hiddenSize + i] = (float) Math.sin(angle);
        table[t * hiddenSize + half + i] = (float) Math.cos(angle);
      }
    }
    return table;
  }

  /**
   * Encodings of the distances length - 1, ..., 1, 0 in this order: (length, D), with the layout
   * and frequencies of {@link #sinusoidal}. Angles are computed in float64: at a distance of
   * thousands float32 would be off by more than the fourth decimal.
   *
   * @param clampLength distances beyond it are encoded as this one; 0 = no limit
   */
  public static Operand<TFloat32> distances(
      Ops tf, Operand<TInt32> length, int clampLength, int hiddenSize) {
    int half = hiddenSize / 2;
    double[] frequencies = new double[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = frequency(i, half);
    }
    Operand<TInt32> distance =
        tf.range(tf.math.sub(length, tf.constant(1)), tf.constant(-1), tf.constant(-1));
    if (clampLength > 0) {
      distance = tf.math.minimum(distance, tf.constant(clampLength));
    }
    Operand<TFloat64> angles =
        tf.math.mul(
            tf.expandDims(tf.dtypes.cast(distance, TFloat64.class), tf.constant(1)),
            tf.reshape(tf.constant(frequencies), tf.constant(new int[] {1, half})));
    Operand<TFloat64> both =
        tf.concat(List.of(tf.math.sin(angles), tf.math.cos(angles)), tf.constant(1));
    Operand<TFloat32> encoded = tf.dtypes.cast(both, TFloat32.class);
    int missing = hiddenSize - 2 * half;
    return missing == 0
        ? encoded
        : tf.pad(encoded, tf.constant(new int[][] {{0, 0}, {0, missing}}), tf.constant(0f));
  }

  private static double frequency(int i, int half) {
    double exponent = half > 1 ? (double) i / (half - 1) : 0;
    return Math.pow(MAX_WAVELENGTH_FACTOR, -exponent);
  }
}
