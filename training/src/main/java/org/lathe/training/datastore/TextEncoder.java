package org.lathe.training.datastore;

/** Turns tokens into keys. The same tokens in the same call give the same bits. */
public interface TextEncoder extends AutoCloseable {
  /** D of the keys. */
  int width();

  /**
   * Keys of all positions of windows of one length.
   *
   * @param tokens row-major (numWindows, length)
   * @return row-major (numWindows, length, width); a key depends on the tokens of its window up to
   *     its own position only
   */
  float[] encode(int[] tokens, int numWindows, int length);

  @Override
  void close();
}
