package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.memory.MassGrid;
import org.lathe.training.memory.MemoryMass;

/**
 * The K nearest items of a store for every position of a text, searched once and used again for
 * tuning, measuring and attribution. 12 bytes a neighbour.
 *
 * <p>Scores are in units of s: scale q . k, or -scale |q - k|^2 / 2 where the search is by
 * distance. Best first. Where a search finds fewer than K, the rest have the score negative
 * infinity, item -1 and value -1.
 */
public final class CachedNeighbors {
  /** Item and value of a neighbour that was not found. */
  public static final int NOTHING = -1;

  private static final int POSITIONS_PER_SEARCH = 1_024;

  private final int numNeighbors;
  private final int[] targets;
  private final float[] scores;
  private final int[] items;
  private final int[] values;

  private CachedNeighbors(int[] targets, int numNeighbors) {
    this.targets = targets;
    this.numNeighbors = numNeighbors;
    int size = Math.multiplyExact(targets.length, numNeighbors);
    scores = new float[size];
    items = new int[size];
    values = new int[size];
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    Arrays.fill(items, NOTHING);
    Arrays.fill(values, NOTHING);
  }

  /**
   * Searches.
   *
   * @param memory opened for at least {@code neighbors + own.margin()} neighbours
   * @param scoreScale factor on inner products
   * @param neighbors K
   * @param own what is dropped before the K best are kept
   */
  public static CachedNeighbors search(
      ScoredText text,
      ExternalMemory memory,
      double scoreScale,
      int neighbors,
      OwnPositions own,
      ProgressListener progress) {
    int width = text.width();
    Preconditions.checkArgument(
        memory.search().width() == width,
        "%s has keys of width %s, the model of width %s",
        memory.name(),
        memory.search().width(),
        width);
    int numPositions = text.numPositions();
    CachedNeighbors cached =
        new CachedNeighbors(
            text.targets(), Math.min(neighbors, Math.max(1, memory.search().numKeys())));
    float[] queries = new float[Math.min(POSITIONS_PER_SEARCH, numPositions) * width];
    for (int begin = 0; begin < numPositions; begin += POSITIONS_PER_SEARCH) {
      int size = Math.min(POSITIONS_PER_SEARCH, numPositions - begin);
      for (int i = 0; i < size; i++) {
        text.copyQuery(begin + i, queries, i * width);
      }
      float[] asked = Arrays.copyOf(queries, size * width);
      cached.keep(begin, asked, memory.search().search(asked), memory, scoreScale, own);
      progress.progress("searching neighbours", begin + size, numPositions);
    }
    return cached;
  }

  private void keep(
      int firstPosition,
      float[] queries,
      NeighborSearch.Neighbors found,
      ExternalMemory memory,
      double scoreScale,
      OwnPositions own) {
    int width = memory.search().width();
    int numFound = found.numNeighbors();
    for (int q = 0; q < queries.length / width; q++) {
      int position = firstPosition + q;
      // the search leaves out -|q|^2 / 2, which is the same for all keys
      double shift = 0;
      if (memory.metric() == NeighborSearch.Metric.SQUARED_L2) {
        for (int d = 0; d < width; d++) {
          shift -= (double) queries[q * width + d] * queries[q * width + d] / 2;
        }
      }
      int at = position * numNeighbors;
      int end = at + numNeighbors;
      for (int j = q * numFound; j < (q + 1) * numFound && at < end; j++) {
        int item = found.items()[j];
        if (found.scores()[j] == Float.NEGATIVE_INFINITY
            || own.excludes(position, memory.items().position(item))) {
          continue;
        }
        scores[at] = (float) ((found.scores()[j] + shift) * scoreScale);
        items[at] = item;
        values[at++] = memory.items().value(item);
      }
    }
  }

  public int numPositions() {
    return targets.length;
  }

  /** K. */
  public int numNeighbors() {
    return numNeighbors;
  }

  /** s of neighbour k of a position. */
  public float score(int position, int k) {
    return scores[position * numNeighbors + k];
  }

  /** Number in the store of neighbour k of a position. */
  public int item(int position, int k) {
    return items[position * numNeighbors + k];
  }

  /** Token of neighbour k of a position. */
  public int value(int position, int k) {
    return values[position * numNeighbors + k];
  }

  /** Mass of a position's neighbours. */
  public MemoryMass mass(int position, double temperature) {
    int begin = position * numNeighbors;
    return MemoryMass.of(
        scores, values, begin, begin + numNeighbors, targets[position], temperature);
  }

  /** Masses of all positions at all temperatures of the grid. */
  public MassGrid masses() {
    MassGrid grid = new MassGrid(targets.length);
    IntStream.range(0, targets.length)
        .parallel()
        .forEach(
            i -> grid.set(i, scores, values, i * numNeighbors, (i + 1) * numNeighbors, targets[i]));
    return grid;
  }

  /** Share of positions whose right next token is among the first k neighbours. */
  public double recall(int k) {
    int hits = 0;
    for (int i = 0; i < targets.length; i++) {
      for (int j = 0; j < Math.min(k, numNeighbors); j++) {
        if (value(i, j) == targets[i]) {
          hits++;
          break;
        }
      }
    }
    return (double) hits / targets.length;
  }
}
