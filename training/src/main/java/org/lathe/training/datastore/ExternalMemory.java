package org.lathe.training.datastore;

import java.util.function.IntFunction;

/**
 * An external store as an evaluation uses it: keys to search, and what is known of the items.
 *
 * @param name for people: the directory, or what it was made of
 * @param search over the keys; gives as many neighbours as it was opened for
 * @param metric of the search
 * @param items values, positions and documents of at least the same items
 * @param documentName number of a document to its name
 * @param sizeBytes of the searched keys, their values, positions and index
 */
public record ExternalMemory(
    String name,
    NeighborSearch search,
    NeighborSearch.Metric metric,
    MemoryItems items,
    IntFunction<String> documentName,
    long sizeBytes)
    implements AutoCloseable {

  /** What {@link #successor} gives where a document or the searched part of the store ends. */
  public static final int NO_ITEM = -1;

  /** The item of the next position of the same document, if it is searched too. */
  public int successor(int item) {
    int next = item + 1;
    // what is removed has no number: behind it comes another document
    return next < numItems()
            && items.document(next) == items.document(item)
            && items.position(next) == items.position(item) + 1
        ? next
        : NO_ITEM;
  }

  /** Those that are searched: of a part of a store fewer than {@link #items} holds. */
  public int numItems() {
    return search.numKeys();
  }

  /** Of keys, values, positions and index together. */
  public double bytesPerItem() {
    return (double) sizeBytes / numItems();
  }

  @Override
  public void close() {
    search.close();
  }
}
