package org.lathe.training.datastore;

/**
 * What is known of stored items, each by its number. Item numbers are those that a {@link
 * NeighborSearch} over the same keys gives.
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
   * Copies the keys of items [from, from + count) to the target, row-major, from index at on.
   * Reading runs of items is cheaper than asking for them one by one.
   */
  void readKeys(int from, int count, float[] target, int at);
}
