package org.lathe.training.evaluation;

import org.lathe.training.data.ProgressListener;

/** Runs a trained language model over texts, without dropout. */
public interface TextScorer extends AutoCloseable {

  /**
   * Scores a text.
   *
   * @param tokens at least two
   * @param protocol how the text is cut
   */
  ScoredText score(int[] tokens, SlidingWindows protocol, ProgressListener progress);

  @Override
  void close();
}
