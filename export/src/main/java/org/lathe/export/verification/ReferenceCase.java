package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import java.util.List;

/**
 * What the model must answer for one prompt.
 *
 * @param prompt ids without padding
 * @param words whose log-probabilities were recorded; all words of a small vocabulary
 * @param logProbabilities ln P(word | prompt), one a word
 * @param mostLikely the word with the largest log-probability
 */
public record ReferenceCase(int[] prompt, int[] words, float[] logProbabilities, int mostLikely) {
  /** Words recorded per prompt at most, so that the file stays small beside the weights. */
  public static final int MAX_WORDS = 2_048;

  public ReferenceCase {
    Preconditions.checkArgument(
        words.length == logProbabilities.length, "one log-probability a word is needed");
  }

  /** Records evenly spread words of a full distribution. */
  public static ReferenceCase of(int[] prompt, float[] logProbabilities) {
    int vocabularySize = logProbabilities.length;
    int numWords = Math.min(vocabularySize, MAX_WORDS);
    int[] words = new int[numWords];
    float[] recorded = new float[numWords];
    for (int i = 0; i < numWords; i++) {
      words[i] = (int) ((long) i * vocabularySize / numWords);
      recorded[i] = logProbabilities[words[i]];
    }
    return new ReferenceCase(
        prompt, words, recorded, mostLikely(logProbabilities, 0, vocabularySize));
  }

  /** Largest difference of a log-probability between two answers to the same prompts. */
  public static double maxDifference(List<ReferenceCase> cases, List<ReferenceCase> others) {
    double max = 0;
    for (int i = 0; i < cases.size(); i++) {
      max =
          Math.max(
              max,
              maxDifference(cases.get(i).logProbabilities(), others.get(i).logProbabilities()));
    }
    return max;
  }

  static double maxDifference(float[] values, float[] others) {
    double max = 0;
    for (int i = 0; i < values.length; i++) {
      max = Math.max(max, Math.abs((double) values[i] - others[i]));
    }
    return max;
  }

  /** Index of the largest value of values[offset .. offset + count), relative to the offset. */
  static int mostLikely(float[] values, int offset, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (values[offset + i] > values[offset + best]) {
        best = i;
      }
    }
    return best;
  }
}
