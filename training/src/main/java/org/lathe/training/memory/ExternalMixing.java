package org.lathe.training.memory;

import com.google.common.base.Preconditions;

/**
 * How retrieved items join what is left of a prediction (TRIME equations 5 and 6).
 *
 * @param shared whether the items also enter the one softmax over vocabulary and recent memory, at
 *     the temperature of that softmax
 * @param temperature tau' of the softmax P' over the retrieved items alone, in units of s; divides
 *     these scores only
 * @param interpolation lambda, the weight of P' in [0, 1); 0 = no P'
 */
public record ExternalMixing(boolean shared, double temperature, double interpolation) {
  /** Retrieved items are ignored. */
  public static final ExternalMixing NONE = new ExternalMixing(false, 1, 0);

  public ExternalMixing {
    Preconditions.checkArgument(
        temperature > 0 && Double.isFinite(temperature),
        "temperature (%s) must be positive",
        temperature);
    Preconditions.checkArgument(
        interpolation >= 0 && interpolation < 1,
        "interpolation (%s) must be in [0, 1)",
        interpolation);
  }

  /** P' only, with this weight (kNN-LM). */
  public static ExternalMixing linear(double temperature, double interpolation) {
    return new ExternalMixing(false, temperature, interpolation);
  }
}
