package org.lathe.testdata;

import java.util.Random;

/**
 * Runs a check on many random cases. A failure names the seed of its case; {@code -Dseed=N} then
 * runs that case alone.
 */
public final class SeededCases {
  /** System property that replays one case. */
  public static final String SEED_PROPERTY = "seed";

  /** One check; all its randomness comes from the argument. */
  @FunctionalInterface
  public interface Check {
    void run(Random random) throws Exception;
  }

  private SeededCases() {}

  /** Seeds 0 to numCases - 1, or only the seed of the system property. */
  public static void run(int numCases, Check check) {
    String replayed = System.getProperty(SEED_PROPERTY);
    if (replayed != null) {
      runOne(Long.parseLong(replayed), check);
      return;
    }
    for (long seed = 0; seed < numCases; seed++) {
      runOne(seed, check);
    }
  }

  private static void runOne(long seed, Check check) {
    try {
      // neighbouring seeds of java.util.Random give alike first numbers: spread them
      check.run(new Random(seed * 0x9E3779B97F4A7C15L + 1));
    } catch (Exception | AssertionError e) {
      throw new AssertionError(
          "random case failed, replay it with -D" + SEED_PROPERTY + "=" + seed + ": " + e, e);
    }
  }
}
