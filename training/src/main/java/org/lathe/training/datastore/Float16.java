package org.lathe.training.datastore;

import org.lathe.graphs.errors.FailedException;

/**
 * IEEE 754 half precision: 11 significant bits, relative error at most 2^-11 from 2^-14 on, largest
 * value 65504. Java 17 has no conversion of its own.
 */
public final class Float16 {
  /** From here on a value would round to infinity. */
  private static final float TOO_LARGE = 65520;

  /** The smallest normal number. Below, numbers are multiples of 2^-24. */
  private static final float MIN_NORMAL = 0x1p-14f;

  private static final int NUM_VALUES = 1 << 16;
  private static final int MANTISSA_BITS = 10;
  private static final int MANTISSA_MASK = (1 << MANTISSA_BITS) - 1;
  private static final int EXPONENT_MASK = 0x1F;
  private static final int EXPONENT_BIAS = 15;
  private static final int SIGN = 0x8000;

  /** How much smaller the exponent's bias is than float32's. */
  private static final int BIAS_DIFFERENCE = 127 - EXPONENT_BIAS;

  private static final int DROPPED_BITS = 23 - MANTISSA_BITS;

  /** Every value there is: 256 KiB, faster than arithmetic. */
  private static final float[] VALUES = values();

  private Float16() {}

  /**
   * The nearest half; of two equally near ones the even one.
   *
   * @throws FailedException when the value is not finite or beyond 65504
   */
  static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & SIGN;
    float magnitude = Math.abs(value);
    if (!(magnitude < TOO_LARGE)) {
      throw new FailedException(
          "a key has the value "
              + value
              + ", which float16 cannot hold (at most 65504); the model has diverged or is not"
              + " normalized where keys are taken");
    }
    if (magnitude < MIN_NORMAL) {
      // numbers from 0.5 to 1 are 2^-24 apart too, so the sum rounds as wanted
      int steps = Float.floatToRawIntBits(magnitude + 0.5f) - Float.floatToRawIntBits(0.5f);
      return (short) (sign | steps);
    }
    int unsigned = bits & Integer.MAX_VALUE;
    int half = (1 << (DROPPED_BITS - 1)) - 1;
    int rounded = (unsigned + half + (unsigned >>> DROPPED_BITS & 1)) >>> DROPPED_BITS;
    return (short) (sign | rounded - (BIAS_DIFFERENCE << MANTISSA_BITS));
  }

  /** The value of a half, infinities and NaN included. */
  public static float toFloat(short half) {
    return VALUES[half & (NUM_VALUES - 1)];
  }

  private static float[] values() {
    float[] values = new float[NUM_VALUES];
    for (int i = 0; i < NUM_VALUES; i++) {
      int exponent = i >>> MANTISSA_BITS & EXPONENT_MASK;
      int mantissa = i & MANTISSA_MASK;
      float magnitude;
      if (exponent == EXPONENT_MASK) {
        magnitude = mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
      } else if (exponent == 0) {
        magnitude = Math.scalb((float) mantissa, 1 - EXPONENT_BIAS - MANTISSA_BITS);
      } else {
        magnitude =
            Math.scalb(
                (float) (mantissa + MANTISSA_MASK + 1), exponent - EXPONENT_BIAS - MANTISSA_BITS);
      }
      values[i] = (i & SIGN) == 0 ? magnitude : -magnitude;
    }
    return values;
  }
}
