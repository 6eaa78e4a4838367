package org.lathe.training.datastore;

/**
 * Keys that are a hash of what their window holds up to their position: any other window, order or
 * filling shows. They are sixty-fourths of small whole numbers, which float16 holds exactly.
 */
final class FakeEncoder implements TextEncoder {
  private final int width;
  private final long sleepMs;
  private int numCalls;

  FakeEncoder(int width) {
    this(width, 0);
  }

  /**
   * @param sleepMs how long each run takes
   */
  FakeEncoder(int width, long sleepMs) {
    this.width = width;
    this.sleepMs = sleepMs;
  }

  @Override
  public int width() {
    return width;
  }

  int numCalls() {
    return numCalls;
  }

  @Override
  public float[] encode(int[] tokens, int numWindows, int length) {
    numCalls++;
    try {
      Thread.sleep(sleepMs);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    float[] keys = new float[tokens.length * width];
    for (int w = 0; w < numWindows; w++) {
      long hash = 1;
      for (int i = 0; i < length; i++) {
        hash = hash * 31 + tokens[w * length + i] + 1;
        for (int d = 0; d < width; d++) {
          keys[(w * length + i) * width + d] = value(hash, d);
        }
      }
    }
    return keys;
  }

  /** The key of the last of these tokens. */
  static float[] key(int[] window, int width) {
    long hash = 1;
    for (int token : window) {
      hash = hash * 31 + token + 1;
    }
    float[] key = new float[width];
    for (int d = 0; d < width; d++) {
      key[d] = value(hash, d);
    }
    return key;
  }

  private static float value(long hash, int d) {
    // as SplittableRandom mixes: without the shifts all values of a key would hang together
    long mixed = hash + d * 0x9E3779B97F4A7C15L;
    mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
    return (float) Math.floorMod(mixed >>> 20, 2001) / 64 - 1000f / 64;
  }

  @Override
  public void close() {}
}
