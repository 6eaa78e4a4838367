package org.lathe.training.datastore;

import java.nio.file.Path;
import java.util.Optional;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.files.Storage;

/** Looks at all of a store: what it holds, and whether every byte is sound. Changes nothing. */
public final class DatastoreCheck {
  /** Items whose keys are looked at together. */
  private static final int ITEMS_PER_READ = 1024;

  private DatastoreCheck() {}

  /**
   * What a store holds.
   *
   * @param generation 1 when fresh, one more with every change
   * @param numItems that are live
   * @param numRemovedItems whose bytes go with the next compaction
   * @param sizeBytes on disk
   * @param unfinished source of a text that is not finished
   */
  public record Summary(
      StoreIdentity identity,
      long generation,
      int numParts,
      long numItems,
      long numRemovedItems,
      int numDocuments,
      int numRemovedDocuments,
      long sizeBytes,
      Optional<String> unfinished) {

    /** Of a live item, with its share of all files. */
    public double bytesPerItem() {
      return numItems == 0 ? 0 : (double) sizeBytes / numItems;
    }
  }

  /** Counts of an opened store. */
  public static Summary summary(Storage storage, Path directory) {
    TableStore files = new TableStore(storage, directory);
    StoreTable table = files.requireTable();
    try (Datastore store = Datastore.open(storage, directory)) {
      return summary(files, table, store);
    }
  }

  private static Summary summary(TableStore files, StoreTable table, Datastore store) {
    int numRemoved = (int) store.documents().stream().filter(d -> !d.live()).count();
    return new Summary(
        table.identity(),
        table.generation(),
        table.parts().size(),
        store.numItems(),
        store.numStored() - (long) store.numItems(),
        store.documents().size() - numRemoved,
        numRemoved,
        files.sizeBytes(table),
        files.job().filter(job -> job.part() >= table.nextPart()).map(StoreJob::source));
  }

  /**
   * Verifies checksums, ids, counts and order of all files, that values are tokens and that keys
   * are finite.
   *
   * @throws CorruptFileException naming the first file that is damaged
   */
  public static Summary verify(Storage storage, Path directory, ProgressListener progress) {
    TableStore files = new TableStore(storage, directory);
    StoreTable table = files.requireTable();
    try (Datastore store = Datastore.openChecked(storage, directory)) {
      float[] keys = new float[ITEMS_PER_READ * store.width()];
      for (int from = 0; from < store.numItems(); from += ITEMS_PER_READ) {
        int count = Math.min(ITEMS_PER_READ, store.numItems() - from);
        store.readKeys(from, count, keys, 0);
        for (int i = 0; i < count; i++) {
          store.value(from + i);
          requireFinite(directory, keys, i * store.width(), store.width(), from + i);
        }
        progress.progress("verifying", (long) from + count, store.numItems());
      }
      return summary(files, table, store);
    }
  }

  private static void requireFinite(Path directory, float[] keys, int at, int width, int item) {
    for (int i = at; i < at + width; i++) {
      if (!Float.isFinite(keys[i])) {
        throw new CorruptFileException(
            directory + ": the key of item " + item + " is not finite; build the store again");
      }
    }
  }
}
