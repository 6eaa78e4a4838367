package org.lathe.training.batching;

import java.util.Random;

/** Randomness of an epoch, a function of the run's seed and the epoch's number. */
public final class Epochs {
  private Epochs() {}

  /** java.util.Random is specified to the bit, so that runs repeat on every JVM. */
  public static Random random(long seed, long epoch) {
    return new Random(mix(mix(seed) + epoch));
  }

  /** Scatters neighbouring seeds and epochs (the finalizer of SplitMix64). */
  private static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
