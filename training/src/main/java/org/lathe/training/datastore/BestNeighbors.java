package org.lathe.training.datastore;

import java.util.Arrays;

/**
 * The best K of all that is offered to each of Q queries: a heap a query, its worst on top. Of
 * equal scores the lower item is better, so that the order of offers does not matter.
 */
final class BestNeighbors {
  private final int numNeighbors;
  private final float[] scores;
  private final int[] items;

  BestNeighbors(int numQueries, int numNeighbors) {
    this.numNeighbors = numNeighbors;
    scores = new float[numQueries * numNeighbors];
    items = new int[numQueries * numNeighbors];
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    Arrays.fill(items, Integer.MAX_VALUE);
  }

  /** Offers scores [from, from + number) with items [fromItem, fromItem + number). */
  void offerAll(
      int query, float[] offered, int from, int[] offeredItems, int fromItem, int number) {
    int root = query * numNeighbors;
    float worst = scores[root];
    for (int i = 0; i < number; i++) {
      // nearly all end here
      if (offered[from + i] >= worst) {
        offer(query, offered[from + i], offeredItems[fromItem + i]);
        worst = scores[root];
      }
    }
  }

  void offer(int query, float score, int item) {
    int root = query * numNeighbors;
    if (isBetter(score, item, scores[root], items[root])) {
      sink(root, numNeighbors, score, item);
    }
  }

  /** Takes over what another thread found. */
  void offerAll(BestNeighbors other) {
    for (int query = 0; query * numNeighbors < scores.length; query++) {
      int at = query * numNeighbors;
      for (int i = at; i < at + numNeighbors; i++) {
        if (other.scores[i] > Float.NEGATIVE_INFINITY) {
          offer(query, other.scores[i], other.items[i]);
        }
      }
    }
  }

  /** Writes each query's neighbours, best first; where there are fewer than K, item 0. */
  void sortInto(float[] sortedScores, int[] sortedItems, int at) {
    for (int root = 0; root < scores.length; root += numNeighbors) {
      for (int size = numNeighbors; size > 0; size--) {
        int place = at + root + size - 1;
        sortedScores[place] = scores[root];
        sortedItems[place] = scores[root] == Float.NEGATIVE_INFINITY ? 0 : items[root];
        int last = root + size - 1;
        sink(root, size - 1, scores[last], items[last]);
      }
    }
  }

  int[] items() {
    return items;
  }

  /** Replaces the root of a heap of this size. */
  private void sink(int root, int size, float score, int item) {
    int at = 0;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size
          && isBetter(
              scores[root + child],
              items[root + child],
              scores[root + child + 1],
              items[root + child + 1])) {
        child++;
      }
      if (!isBetter(score, item, scores[root + child], items[root + child])) {
        break;
      }
      scores[root + at] = scores[root + child];
      items[root + at] = items[root + child];
      at = child;
    }
    scores[root + at] = score;
    items[root + at] = item;
  }

  private static boolean isBetter(float score, int item, float thanScore, int thanItem) {
    return score > thanScore || (score == thanScore && item < thanItem);
  }
}
