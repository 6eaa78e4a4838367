package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.List;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;
import org.lathe.training.memory.MixingTuner;

/** Perplexity per token with the natural logarithm, without memory and with it. */
public final class MemoryEvaluation {
  private MemoryEvaluation() {}

  /** exp of the mean -ln P(y) of the vocabulary softmax alone. */
  public static double perplexity(ScoredText text) {
    double sum = 0;
    for (int i = 0; i < text.numPositions(); i++) {
      sum -= text.vocabularyLogProbability(i);
    }
    return Math.exp(sum / text.numPositions());
  }

  /**
   * Bits per byte of text: the whole surprise of its tokens over the length of the text. Unlike
   * perplexity per token it can be compared between tokenizers; for byte tokens it is the bits per
   * character of the enwik8 literature.
   *
   * @param perplexity per token
   * @param numTokens scored
   * @param numBytes of the text that the scored tokens stand for, UTF-8
   */
  public static double bitsPerByte(double perplexity, long numTokens, long numBytes) {
    Preconditions.checkArgument(numBytes > 0, "numBytes (%s) must be positive", numBytes);
    return Math.log(perplexity) / Math.log(2) * numTokens / numBytes;
  }

  /**
   * Perplexity with local memory and, where longTermItems is positive, long-term memory.
   *
   * @param scoreScale factor on inner products
   */
  public static double perplexity(
      ScoredText text, double scoreScale, int longTermItems, Mixing mixing) {
    double[] sum = new double[1];
    new MemoryScan(text, scoreScale, longTermItems)
        .forEach(
            text.numPositions(),
            (position, scores, values, numItems) -> {
              MemoryMass mass =
                  MemoryMass.of(
                      scores, values, 0, numItems, text.targets()[position], mixing.temperature());
              sum[0] -=
                  mixing.logProbability(
                      text.vocabularyMass()[position], text.targetLogits()[position], mass);
            });
    return Math.exp(sum[0] / text.numPositions());
  }

  /**
   * The candidate with the lowest perplexity on a text, usually the validation part.
   *
   * @param limit positions used
   */
  public static Mixing tune(
      ScoredText text, double scoreScale, int longTermItems, List<Mixing> candidates, int limit) {
    MixingTuner tuner = new MixingTuner(candidates);
    new MemoryScan(text, scoreScale, longTermItems)
        .forEach(
            Math.min(limit, text.numPositions()),
            (position, scores, values, numItems) ->
                tuner.add(
                    text.vocabularyMass()[position],
                    text.targetLogits()[position],
                    scores,
                    values,
                    numItems,
                    text.targets()[position]));
    return tuner.best();
  }
}
