package org.lathe.export.verification;

/**
 * Computes what an exported model must compute, by another path than the exported graph. Closing it
 * frees what it holds.
 */
public interface ReferenceScorer extends AutoCloseable {

  /**
   * ln P(w | prompt) for every word w: (number of prompts, V).
   *
   * @param prompts ids without padding, each 1 to maxPositions long
   */
  float[][] nextLogProbabilities(int[][] prompts);

  @Override
  default void close() {}
}
