package org.lathe.export.verification;

import java.util.List;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.errors.FailedException;

/** What is asked of one kind of model, opened. */
interface ModelChecks extends AutoCloseable {

  /**
   * The recorded outputs against the model's.
   *
   * @param finding in words
   * @param maxDifference largest difference
   */
  record Parity(String finding, double maxDifference) {}

  SavedModelSummary summary();

  /**
   * Answers a request and looks at the answer.
   *
   * @param source of the request, for messages
   * @throws FailedException when the answer cannot be one
   */
  void replay(WarmupRequest request, String source);

  /** What {@link #replay} looked at besides, in a few words. */
  String replayed();

  /**
   * @throws FailedException when an answer is not the recorded one
   */
  Parity compare();

  /** Checks that not every model of the kind needs. */
  List<VerificationReport.Check> more();

  @Override
  void close();

  /** Written so that NaN and infinities fail. */
  static void requireFinite(float[] values, String what, String source) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new FailedException(
            source + ": the model answered " + value + "; expected finite " + what + ".");
      }
    }
  }

  /** Written so that a sum that is no number fails too. */
  static void requireOne(double sum, int row, String where) {
    if (!(Math.abs(sum - 1) <= ModelVerifier.MAX_SUM_ERROR)) {
      throw new FailedException(
          where
              + ", row "
              + row
              + ": the probabilities sum to "
              + sum
              + "; expected 1 within "
              + ModelVerifier.MAX_SUM_ERROR
              + ".");
    }
  }
}
