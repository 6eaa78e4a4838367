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
    int positionsPerSearch = memory.search().queriesAtOnce();
    for (int begin = 0; begin < numPositions; begin += positionsPerSearch) {
      int size = Math.min(positionsPerSearch, numPositions - begin);
      float[] queries = new float[size * width];
      for (int i = 0; i < size; i++) {
        text.copyQuery(begin + i, queries, i * width);
      }
      cached.keep(begin, queries, memory.search().search(queries), memory, scoreScale, own);
      progress.progress("searching neighbours", begin + size, numPositions);
    }
    return cached;
  }

  /** Looking up values takes about as long as finding the items, so threads share it. */
  private void keep(
      int firstPosition,
      float[] queries,
      NeighborSearch.Neighbors found,
      ExternalMemory memory,
      double scoreScale,
      OwnPositions own) {
    IntStream.range(0, queries.length / memory.search().width())
        .parallel()
        .forEach(q -> keep(firstPosition + q, q, queries, found, memory, scoreScale, own));
  }

  private void keep(
      int position,
      int query,
      float[] queries,
      NeighborSearch.Neighbors found,
      ExternalMemory memory,
      double scoreScale,
      OwnPositions own) {
    int width = memory.search().width();
    // the search leaves out -|q|^2 / 2, which is the same for all keys
    double shift = 0;
    if (memory.metric() == NeighborSearch.Metric.SQUARED_L2) {
      for (int d = 0; d < width; d++) {
        shift -= (double) queries[query * width + d] * queries[query * width + d] / 2;
      }
    }
    int at = position * numNeighbors;
    int end = at + numNeighbors;
    int from = query * found.numNeighbors();
    for (int j = from; j < from + found.numNeighbors() && at < end; j++) {
      int item = found.items()[j];
      if (found.scores()[j] == Float.NEGATIVE_INFINITY
          || (own.excludesAny() && own.excludes(position, memory.items().position(item)))) {
        continue;
      }
      scores[at] = (float) ((found.scores()[j] + shift) * scoreScale);
      items[at] = item;
      values[at++] = memory.items().value(item);
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

  /**
   * The part of another search's neighbours that are among these: recall of the true neighbours
   * where the other search is exact.
   *
   * @param expected of the same text and store, as many of each position
   */
  public double recall(CachedNeighbors expected) {
    return found().recall(expected.found());
  }

  private NeighborSearch.Neighbors found() {
    return new NeighborSearch.Neighbors(numNeighbors, scores, items);
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
