package org.lathe.training.examples;

import com.google.common.base.Preconditions;

/**
 * How answers are read off the logits.
 *
 * @param numBest candidates for the start and for the end in each window, and answers kept of a
 *     question; 20 as usual
 * @param maxAnswerTokens most tokens of an answer; 30 as usual
 */
public record SpanSettings(int numBest, int maxAnswerTokens) {
  public static final SpanSettings DEFAULT = new SpanSettings(20, 30);

  public SpanSettings {
    Preconditions.checkArgument(
        numBest > 0 && maxAnswerTokens > 0,
        "numBest (%s) and maxAnswerTokens (%s) must be positive",
        numBest,
        maxAnswerTokens);
  }
}
