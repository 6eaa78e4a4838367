package org.lathe.training.datastore;

import java.util.stream.IntStream;

/**
 * What is known of stored items, each by its number. Item numbers are those that a {@link
 * NeighborSearch} over the same keys gives. Safe for several threads.
 */
public interface MemoryItems {
  int numItems();

  /** The token that followed the item's key. */
  int value(int item);

  /**
   * Position in its text that the item's key encodes: the key read token {@code position}, the
   * value is token {@code position + 1}. Items of consecutive positions of one document follow each
   * other in the store.
   */
  long position(int item);

  /** Number of the document that the position belongs to. */
  int document(int item);

  /**
   * The last tokens that an item's key has read, of the item's own document: values of the items
   * before it, oldest first. The first token of a document is nobody's value and not among them.
   *
   * @param limit tokens at most
   */
  default int[] tokensBefore(int item, int limit) {
    int first = item;
    while (first > 0 && item - first < limit && document(first - 1) == document(item)) {
      first--;
    }
    return IntStream.range(first, item).map(this::value).toArray();
  }

  /**
   * The tokens that follow an item's value in the item's own document.
   *
   * @param limit tokens at most
   */
  default int[] tokensAfter(int item, int limit) {
    int end = item + 1;
    while (end < numItems() && end - item <= limit && document(end) == document(item)) {
      end++;
    }
    return IntStream.range(item + 1, end).map(this::value).toArray();
  }

  /**
   * Copies the keys of items [from, from + count) to the target, row-major, from index at on.
   * Reading runs of items is cheaper than asking for them one by one.
   */
  void readKeys(int from, int count, float[] target, int at);
}
