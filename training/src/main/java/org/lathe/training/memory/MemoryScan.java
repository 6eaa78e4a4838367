package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;

/**
 * Goes through a scored text and gives, for each position, the scores of the memory items that it
 * may see: the earlier positions of its window (local memory), preceded by the most recent
 * positions before the window (long-term memory). Every position of the text is seen at most once:
 * within the window as the window encodes it, before it as it was encoded when it was scored.
 *
 * <p>The queries of a window are multiplied with blocks of keys, laid out so that one vector
 * instruction serves neighbouring items.
 */
public final class MemoryScan {
  /** Keys of a block: with 128 numbers each they take 256 KiB, about a core's second cache. */
  private static final int ITEMS_PER_BLOCK = 512;

  /** Hears the items of one position. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param scores s_j = scale g_t . g_j, oldest item first; valid during the call only
     * @param values tokens y_j of the items
     * @param numItems how many of the array's elements are items; item j is text position {@code
     *     position - numItems + j}
     */
    void visit(int position, float[] scores, int[] values, int numItems);
  }

  private final ScoredText text;
  private final double scoreScale;
  private final int longTermItems;

  /** Keys of the positions before a window, as each was encoded when it was scored; (n, D). */
  private final float[] history;

  /**
   * @param scoreScale factor on inner products (1 / sqrt of the keys' width as first trained)
   * @param longTermItems capacity of the long-term memory; 0 = local memory only
   */
  public MemoryScan(ScoredText text, double scoreScale, int longTermItems) {
    Preconditions.checkArgument(
        longTermItems >= 0, "longTermItems (%s) must not be negative", longTermItems);
    this.text = text;
    this.scoreScale = scoreScale;
    this.longTermItems = longTermItems;
    this.history = longTermItems > 0 ? text.scoredKeys() : new float[0];
  }

  public ScoredText text() {
    return text;
  }

  /** Visits positions 0 .. limit - 1 in order. */
  public void forEach(int limit, Visitor visitor) {
    for (int w = 0; w < text.windows().size(); w++) {
      SlidingWindows.Window window = text.windows().get(w);
      visit(w, window.scoredFrom(), Math.min(window.end(), limit), visitor);
    }
  }

  /**
   * Visits every position once, several windows at a time and in any order.
   *
   * @param visitor safe for several threads
   */
  public void forEachInParallel(Visitor visitor) {
    IntStream.range(0, text.windows().size())
        .parallel()
        .forEach(
            w -> {
              SlidingWindows.Window window = text.windows().get(w);
              visit(w, window.scoredFrom(), window.end(), visitor);
            });
  }

  /** Visits one position. */
  public void visit(int position, Visitor visitor) {
    visit(text.windowOf(position), position, position + 1, visitor);
  }

  /** The earliest position that this position sees. */
  public int oldestVisible(int position) {
    return oldest(text.windows().get(text.windowOf(position)));
  }

  private int oldest(SlidingWindows.Window window) {
    return Math.max(0, window.begin() - longTermItems);
  }

  /** Visits the positions from .. to - 1 of a window. */
  private void visit(int w, int from, int to, Visitor visitor) {
    if (from >= to) {
      return;
    }
    SlidingWindows.Window window = text.windows().get(w);
    int oldest = oldest(window);
    int numLongTerm = window.begin() - oldest;
    // the last position of all sees no later one
    int numItems = to - 1 - oldest;
    float[][] scores = new float[to - from][numItems];
    float[] taps = text.taps().get(w);
    int firstQuery = from - window.begin();
    multiply(taps, firstQuery, history, oldest, numLongTerm, scores, 0);
    multiply(taps, firstQuery, taps, 0, numItems - numLongTerm, scores, numLongTerm);
    int[] values = Arrays.copyOfRange(text.targets(), oldest, oldest + numItems);
    for (int i = from; i < to; i++) {
      visitor.visit(i, scores[i - from], values, i - oldest);
    }
  }

  /**
   * Scores of queries against keys.
   *
   * @param queries rows from firstQuery on, one for each row of scores
   * @param keys rows [firstKey, firstKey + numKeys)
   * @param at where the first key's score goes in each row of scores
   */
  private void multiply(
      float[] queries,
      int firstQuery,
      float[] keys,
      int firstKey,
      int numKeys,
      float[][] scores,
      int at) {
    int width = text.width();
    float[][] block = new float[width][Math.min(ITEMS_PER_BLOCK, Math.max(0, numKeys))];
    float[] sums = new float[block[0].length];
    for (int begin = 0; begin < numKeys; begin += ITEMS_PER_BLOCK) {
      int size = Math.min(ITEMS_PER_BLOCK, numKeys - begin);
      for (int j = 0; j < size; j++) {
        int row = (firstKey + begin + j) * width;
        for (int d = 0; d < width; d++) {
          block[d][j] = keys[row + d];
        }
      }
      for (int q = 0; q < scores.length; q++) {
        multiply(queries, (firstQuery + q) * width, block, size, sums);
        float[] target = scores[q];
        for (int j = 0; j < size; j++) {
          target[at + begin + j] = (float) (sums[j] * scoreScale);
        }
      }
    }
  }

  /** sums[j] = sum over d of query[d] * block[d][j]. */
  private static void multiply(
      float[] queries, int query, float[][] block, int size, float[] sums) {
    Arrays.fill(sums, 0, size, 0);
    int d = 0;
    for (; d + 3 < block.length; d += 4) {
      add(
          sums,
          size,
          queries[query + d],
          block[d],
          queries[query + d + 1],
          block[d + 1],
          queries[query + d + 2],
          block[d + 2],
          queries[query + d + 3],
          block[d + 3]);
    }
    for (; d < block.length; d++) {
      float a = queries[query + d];
      float[] row = block[d];
      for (int j = 0; j < size; j++) {
        sums[j] += a * row[j];
      }
    }
  }

  /** Four rows at once: the sums are loaded and stored a quarter as often. */
  private static void add(
      float[] sums,
      int size,
      float a,
      float[] rowA,
      float b,
      float[] rowB,
      float c,
      float[] rowC,
      float d,
      float[] rowD) {
    for (int j = 0; j < size; j++) {
      sums[j] += a * rowA[j] + b * rowB[j] + (c * rowC[j] + d * rowD[j]);
    }
  }
}
