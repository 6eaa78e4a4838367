package org.lathe.training.datastore;

import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * The inverted-file index of a store's live items, kept in the store as {@code index-METRIC}. It
 * can be made again from the keys at any time, so an index of other items or settings is just
 * replaced; removing a document deletes it at once, since it holds the codes of removed keys.
 */
public final class StoreIndexFile {
  static final String PREFIX = "index-";
  private static final int ID_BYTES = 16;

  private StoreIndexFile() {}

  /**
   * Reads the store's index, or builds and keeps it.
   *
   * @param threads 0 = all cores
   */
  public static IvfIndex readOrBuild(
      Storage storage,
      Path directory,
      Datastore store,
      NeighborSearch.Metric metric,
      IvfSettings settings,
      int threads) {
    Path file = directory.resolve(PREFIX + metric.name().toLowerCase(Locale.ROOT));
    byte[] id = id(store, settings);
    if (storage.exists(file) && Arrays.equals(IvfIndexFile.id(storage, file), id)) {
      return IvfIndexFile.read(storage, file);
    }
    IvfIndex index =
        IvfIndex.build(store.keys(0, store.numItems()), store.width(), metric, settings, threads);
    Path staging = file.resolveSibling(file.getFileName() + ".staging");
    IoGuard.run(storage, "delete", staging, () -> storage.delete(staging));
    IvfIndexFile.write(storage, staging, index, id);
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          storage.force(staging);
          storage.move(staging, file);
          storage.force(directory);
        });
    return index;
  }

  private static byte[] id(Datastore store, IvfSettings settings) {
    return Arrays.copyOf(
        Hashing.sha256()
            .hashString(store.contentFingerprint() + settings, StandardCharsets.UTF_8)
            .asBytes(),
        ID_BYTES);
  }
}
