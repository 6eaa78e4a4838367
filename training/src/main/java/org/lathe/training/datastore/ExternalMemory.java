package org.lathe.training.datastore;

import java.util.function.IntFunction;

/**
 * An external store as an evaluation uses it: keys to search, and what is known of the items.
 *
 * @param name for people: the directory, or what it was made of
 * @param search over the keys; gives as many neighbours as it was opened for
 * @param metric of the search
 * @param items values, positions and documents of the same items
 * @param documentName number of a document to its name
 * @param sizeBytes of keys, values, positions and index
 */
public record ExternalMemory(
    String name,
    NeighborSearch search,
    NeighborSearch.Metric metric,
    MemoryItems items,
    IntFunction<String> documentName,
    long sizeBytes)
    implements AutoCloseable {

  /** Of keys, values, positions and index together. */
  public double bytesPerItem() {
    return (double) sizeBytes / items.numItems();
  }

  @Override
  public void close() {
    search.close();
  }
}
