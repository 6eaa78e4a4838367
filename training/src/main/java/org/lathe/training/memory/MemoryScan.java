package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;

/**
 * Goes through a scored text and gives, for each position, the scores of the memory items that it
 * may see: the earlier positions of its window (local memory), preceded by the most recent
 * positions before the window (long-term memory). Every position of the text is seen at most once:
 * within the window as the window encodes it, before it as it was encoded when it was scored.
 */
public final class MemoryScan {
  /** Hears the items of one position. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param scores s_j = scale g_t . g_j, oldest item first; valid during the call only
     * @param values tokens y_j of the items
     * @param numItems how many of the array's elements are items
     */
    void visit(int position, float[] scores, int[] values, int numItems);
  }

  private final ScoredText text;
  private final double scoreScale;
  private final int longTermItems;

  /**
   * @param scoreScale factor on inner products (1 / sqrt(D) of the model as first trained)
   * @param longTermItems capacity of the long-term memory; 0 = local memory only
   */
  public MemoryScan(ScoredText text, double scoreScale, int longTermItems) {
    Preconditions.checkArgument(
        longTermItems >= 0, "longTermItems (%s) must not be negative", longTermItems);
    this.text = text;
    this.scoreScale = scoreScale;
    this.longTermItems = longTermItems;
  }

  /** Visits positions 0 .. limit - 1 in order. */
  public void forEach(int limit, Visitor visitor) {
    int width = text.width();
    float[] history = new float[Math.max(1, text.numPositions()) * width];
    int[] targets = text.targets();
    for (int w = 0; w < text.windows().size(); w++) {
      SlidingWindows.Window window = text.windows().get(w);
      float[] taps = text.taps().get(w);
      int oldest = Math.max(0, window.begin() - longTermItems);
      int numLongTerm = window.begin() - oldest;
      int length = window.end() - window.begin();
      float[] scores = new float[numLongTerm + length];
      int[] values = Arrays.copyOfRange(targets, oldest, window.end());
      for (int i = window.scoredFrom(); i < Math.min(window.end(), limit); i++) {
        int query = (i - window.begin()) * width;
        for (int j = 0; j < numLongTerm; j++) {
          scores[j] = score(taps, query, history, (oldest + j) * width, width);
        }
        for (int j = 0; j < i - window.begin(); j++) {
          scores[numLongTerm + j] = score(taps, query, taps, j * width, width);
        }
        visitor.visit(i, scores, values, numLongTerm + i - window.begin());
      }
      int from = (window.scoredFrom() - window.begin()) * width;
      System.arraycopy(taps, from, history, window.scoredFrom() * width, length * width - from);
      if (window.end() >= limit) {
        return;
      }
    }
  }

  private float score(float[] a, int aBegin, float[] b, int bBegin, int width) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    int d = 0;
    // four sums let the compiler keep several multiplications in flight
    for (; d + 3 < width; d += 4) {
      sum0 += a[aBegin + d] * b[bBegin + d];
      sum1 += a[aBegin + d + 1] * b[bBegin + d + 1];
      sum2 += a[aBegin + d + 2] * b[bBegin + d + 2];
      sum3 += a[aBegin + d + 3] * b[bBegin + d + 3];
    }
    for (; d < width; d++) {
      sum0 += a[aBegin + d] * b[bBegin + d];
    }
    return (float) ((sum0 + sum1 + sum2 + sum3) * scoreScale);
  }
}
