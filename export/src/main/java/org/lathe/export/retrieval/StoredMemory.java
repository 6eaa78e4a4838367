package org.lathe.export.retrieval;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.datastore.Datastore;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfSettings;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.datastore.StoredDocument;

/**
 * The live items of a store as they leave with a model. What was removed from the store is in none
 * of the parts.
 *
 * @param index of the items; with one list, a search is exact
 * @param values token that followed each item
 * @param documents live ones that hold items, in the order of their items
 * @param contentFingerprint SHA-256 that tells which items these are
 */
public record StoredMemory(
    IvfIndex index, int[] values, List<Document> documents, String contentFingerprint) {
  /**
   * Bytes of index and values at most. A server holds them in memory, and while it loads a model
   * and its successor, twice.
   */
  public static final long MAX_BYTES = (1L << 31) - 1;

  /**
   * @param firstItem items of a document follow each other from here on
   */
  public record Document(String name, int firstItem, int numItems) {}

  public StoredMemory {
    documents = List.copyOf(documents);
    Preconditions.checkArgument(values.length > 0, "a memory to export needs an item");
    Preconditions.checkArgument(
        index.numKeys() == values.length,
        "an index of %s keys does not fit %s items",
        index.numKeys(),
        values.length);
    requireSize(numBytes(index, values.length), "the memory to export");
  }

  /**
   * @param store open, with the items that the index was built from
   * @throws ConfigException when it is too large for a served model
   */
  public static StoredMemory of(Datastore store, IvfIndex index) {
    int[] values = new int[store.numItems()];
    List<Document> documents = new ArrayList<>();
    for (StoredDocument document : store.documents()) {
      if (document.live() && document.numItems() > 0) {
        documents.add(new Document(document.name(), document.firstItem(), document.numItems()));
        for (int i = 0; i < document.numItems(); i++) {
          values[document.firstItem() + i] = store.value(document.firstItem() + i);
        }
      }
    }
    return new StoredMemory(index, values, documents, store.contentFingerprint());
  }

  /**
   * Refuses what a server should not be given.
   *
   * @param source of the memory, for the message
   */
  public static void requireSize(long numBytes, String source) {
    if (numBytes > MAX_BYTES) {
      throw new ConfigException(
          source
              + " needs "
              + numBytes
              + " bytes in a served model; the limit is "
              + MAX_BYTES
              + ". Use evaluation.index=ivf with evaluation.encoding=int8 or product, or a smaller"
              + " store.");
    }
  }

  /** Bytes of index and values, before an index is built. */
  public static long estimatedBytes(int numItems, int width, Metric metric, IvfSettings settings) {
    int keyBytes = settings.encoding().numBytes(width, settings.numSubvectors());
    int numbers = metric == Metric.SQUARED_L2 ? 3 : 2;
    return (long) numItems * (keyBytes + numbers * Integer.BYTES)
        + (long) settings.numLists() * width * Float.BYTES;
  }

  /** In memory and on disk. */
  public long numBytes() {
    return numBytes(index, values.length);
  }

  private static long numBytes(IvfIndex index, int numItems) {
    int numbers = index.metric() == Metric.SQUARED_L2 ? 2 : 1;
    return index.numBytes() + (long) numItems * numbers * Integer.BYTES;
  }

  /** Whether a search looks at every key. */
  public boolean exact() {
    return index.numLists() == 1;
  }
}
