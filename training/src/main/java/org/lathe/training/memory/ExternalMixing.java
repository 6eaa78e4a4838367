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
public record ExternalMixing(
    boolean shared, double temperature, AdaptiveInterpolation interpolation) {
  /** Retrieved items are ignored. */
  public static final ExternalMixing NONE = new ExternalMixing(false, 1, 0);

  public ExternalMixing {
    Preconditions.checkArgument(
        temperature > 0 && Double.isFinite(temperature),
        "temperature (%s) must be positive",
        temperature);
  }

  /** With the same lambda at every position. */
  public ExternalMixing(boolean shared, double temperature, double interpolation) {
    this(shared, temperature, AdaptiveInterpolation.constant(interpolation));
  }

  /** P' only, with this weight (kNN-LM). */
  public static ExternalMixing linear(double temperature, double interpolation) {
    return new ExternalMixing(false, temperature, interpolation);
  }
}
