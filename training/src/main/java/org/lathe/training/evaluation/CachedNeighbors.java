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
 * tuning, measuring and attribution. 12 bytes a neighbour. A {@link SearchPolicy} may leave
 * positions out and add items that pointers lead to.
 *
 * <p>Scores are in units of s: scale q . k, or -scale |q - k|^2 / 2 where the search is by
 * distance. Best first. Where a search finds fewer than K, the rest have the score negative
 * infinity, item -1 and value -1.
 */
public final class CachedNeighbors {
  /** Item and value of a neighbour that was not found. */
  public static final int NOTHING = ExternalMemory.NO_ITEM;

  private final int numNeighbors;
  private final int[] targets;
  private final float[] scores;
  private final int[] items;
  private final int[] values;
  private int numSearched;
  private int numPointed;

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

  /** Searches for every position. */
  public static CachedNeighbors search(
      ScoredText text,
      ExternalMemory memory,
      double scoreScale,
      int neighbors,
      OwnPositions own,
      ProgressListener progress) {
    return search(text, memory, scoreScale, neighbors, own, SearchPolicy.EVERYWHERE, progress);
  }

  /**
   * Searches.
   *
   * @param memory opened for at least {@code neighbors + own.margin()} neighbours
   * @param scoreScale factor on inner products
   * @param neighbors K
   * @param own what is dropped before the K best are kept
   * @param policy which positions are searched, and whether pointers are followed
   */
  public static CachedNeighbors search(
      ScoredText text,
      ExternalMemory memory,
      double scoreScale,
      int neighbors,
      OwnPositions own,
      SearchPolicy policy,
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
    int[] asked = new int[Math.min(memory.search().queriesAtOnce(), numPositions)];
    int end = 0;
    while (end < numPositions) {
      int begin = end;
      int numAsked = 0;
      while (end < numPositions && numAsked < asked.length) {
        if (policy.searches(text.confidence()[end])) {
          asked[numAsked++] = end;
        }
        end++;
      }
      cached.searchAndKeep(Arrays.copyOf(asked, numAsked), text, memory, scoreScale, own);
      if (policy.pointers()) {
        for (int i = Math.max(1, begin); i < end; i++) {
          cached.follow(i, text, memory, scoreScale, own);
        }
      }
      progress.progress("searching neighbours", end, numPositions);
    }
    return cached;
  }

  private void searchAndKeep(
      int[] positions,
      ScoredText text,
      ExternalMemory memory,
      double scoreScale,
      OwnPositions own) {
    if (positions.length == 0) {
      return;
    }
    int width = text.width();
    float[] queries = new float[positions.length * width];
    for (int q = 0; q < positions.length; q++) {
      text.copyQuery(positions[q], queries, q * width);
    }
    NeighborSearch.Neighbors found = memory.search().search(queries);
    // looking up values takes about as long as finding the items, so threads share it
    IntStream.range(0, positions.length)
        .parallel()
        .forEach(q -> keep(positions[q], q, queries, found, memory, scoreScale, own));
    numSearched += positions.length;
  }

  private void keep(
      int position,
      int query,
      float[] queries,
      NeighborSearch.Neighbors found,
      ExternalMemory memory,
      double scoreScale,
      OwnPositions own) {
    double shift = shift(queries, query * memory.search().width(), memory);
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

  /** -|q|^2 / 2, which is the same for all keys and left out by a search for short distances. */
  private static double shift(float[] queries, int from, ExternalMemory memory) {
    double shift = 0;
    if (memory.metric() == NeighborSearch.Metric.SQUARED_L2) {
      for (int d = from; d < from + memory.search().width(); d++) {
        shift -= (double) queries[d] * queries[d] / 2;
      }
    }
    return shift;
  }

  /**
   * Lets the successors of what the position before retrieved compete with what the search found;
   * an item that was found keeps the search's score.
   */
  private void follow(
      int position, ScoredText text, ExternalMemory memory, double scoreScale, OwnPositions own) {
    int width = text.width();
    float[] query = new float[width];
    text.copyQuery(position, query, 0);
    double shift = shift(query, 0, memory);
    float[] key = new float[width];
    int at = position * numNeighbors;
    int[] found = Arrays.copyOfRange(items, at, at + numNeighbors);
    Arrays.sort(found);
    for (int before = at - numNeighbors; before < at; before++) {
      int item = items[before] == NOTHING ? NOTHING : memory.successor(items[before]);
      if (item == NOTHING
          || Arrays.binarySearch(found, item) >= 0
          || own.excludes(position, memory.items().position(item))) {
        continue;
      }
      memory.items().readKeys(item, 1, key, 0);
      float score = memory.metric().score(query, 0, key, 0, width);
      insert(at, (float) ((score + shift) * scoreScale), item, memory);
    }
    for (int k = at; k < at + numNeighbors; k++) {
      if (items[k] != NOTHING && Arrays.binarySearch(found, items[k]) < 0) {
        numPointed++;
        break;
      }
    }
  }

  /** Puts an item in its place among K neighbours; behind equal ones, and nowhere if K are. */
  private void insert(int first, float score, int item, ExternalMemory memory) {
    int place = first + numNeighbors;
    while (place > first && score > scores[place - 1]) {
      place--;
    }
    int numMoved = first + numNeighbors - place - 1;
    if (numMoved < 0) {
      return;
    }
    System.arraycopy(scores, place, scores, place + 1, numMoved);
    System.arraycopy(items, place, items, place + 1, numMoved);
    System.arraycopy(values, place, values, place + 1, numMoved);
    scores[place] = score;
    items[place] = item;
    values[place] = memory.items().value(item);
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

  /** Whether nothing was retrieved for a position. */
  public boolean isEmpty(int position) {
    return item(position, 0) == NOTHING;
  }

  /** Part of the positions for which the store was searched. */
  public double searchedShare() {
    return (double) numSearched / targets.length;
  }

  /** Part of the positions with a neighbour that a pointer brought and the search did not. */
  public double pointerShare() {
    return (double) numPointed / targets.length;
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
