package org.lathe.training.datastore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.RecordFile;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;

/**
 * The layout of a store's directory.
 *
 * <pre>
 * STORE/store.json                     the table: what is in the store
 * STORE/job.json                       a build or add that is not finished
 * STORE/part-000001/documents          names and items, see DocumentTableFile
 * STORE/part-000001/segment-00000000   values and keys of a chunk, see SegmentReader
 * </pre>
 */
final class TableStore {
  static final String TABLE_FILE = "store.json";
  static final String JOB_FILE = "job.json";
  static final String PARTIAL = ".partial";
  private static final String PART_PREFIX = "part-";
  private static final int VERSION = 1;

  private static final RecordFile<StoreTable> TABLE =
      new RecordFile<>("lathe-datastore", VERSION, StoreTable.class);
  private static final RecordFile<StoreJob> JOB =
      new RecordFile<>("lathe-datastore-job", VERSION, StoreJob.class);

  private final Storage storage;
  private final Path directory;

  TableStore(Storage storage, Path directory) {
    this.storage = storage;
    this.directory = directory;
  }

  Path directory() {
    return directory;
  }

  /** Whether a store, finished or not, lies here. */
  boolean exists() {
    return storage.exists(directory.resolve(TABLE_FILE))
        || storage.exists(directory.resolve(JOB_FILE));
  }

  /**
   * @throws CorruptFileException when there is no finished store or its table is damaged
   */
  StoreTable requireTable() {
    Optional<StoreTable> table = table();
    if (table.isPresent()) {
      return table.get();
    }
    if (storage.exists(directory.resolve(JOB_FILE))) {
      throw new CorruptFileException(
          directory
              + " is a datastore whose build is not finished; run the same 'lathe datastore"
              + " build' again, it continues where it stopped");
    }
    throw new CorruptFileException(
        directory
            + " is not a datastore: it has no "
            + TABLE_FILE
            + "; make one with 'lathe datastore build RUN --out "
            + directory
            + "'");
  }

  Optional<StoreTable> table() {
    return read(TABLE, TABLE_FILE);
  }

  Optional<StoreJob> job() {
    return read(JOB, JOB_FILE);
  }

  void write(StoreTable table) {
    Path file = directory.resolve(TABLE_FILE);
    IoGuard.run(storage, "write", file, () -> TABLE.write(storage, file, table));
  }

  void write(StoreJob job) {
    Path file = directory.resolve(JOB_FILE);
    IoGuard.run(storage, "write", file, () -> JOB.write(storage, file, job));
  }

  void deleteJob() {
    Path file = directory.resolve(JOB_FILE);
    IoGuard.run(
        storage,
        "delete",
        file,
        () -> {
          storage.delete(file);
          storage.force(directory);
        });
  }

  Path part(int number) {
    return directory.resolve(String.format(Locale.ROOT, "%s%06d", PART_PREFIX, number));
  }

  static Path documents(Path part) {
    return part.resolve("documents");
  }

  static Path segment(Path part, int segment) {
    return part.resolve(String.format(Locale.ROOT, "segment-%08d", segment));
  }

  /**
   * Removes what killed processes left: everything of ours that neither table nor job lists; and
   * indexes, which the change to come makes stale. For the holder of the lock.
   */
  void sweep() {
    StagedDirectory.sweep(storage, directory);
    Set<Path> listed = new HashSet<>();
    table().ifPresent(table -> table.parts().forEach(part -> listed.add(part(part.number()))));
    job().ifPresent(job -> listed.add(part(job.part())));
    for (Path child : list(directory)) {
      String name = child.getFileName().toString();
      if (name.startsWith(StoreIndexFile.PREFIX)) {
        IoGuard.run(storage, "delete", child, () -> storage.delete(child));
      } else if (name.startsWith(PART_PREFIX) && !listed.contains(child)) {
        deletePart(child);
      } else if (name.equals(TABLE_FILE + ".staging") || name.equals(JOB_FILE + ".staging")) {
        IoGuard.run(storage, "delete", child, () -> storage.delete(child));
      }
    }
  }

  /** Deletes a part's directory with its files, and makes that last. */
  void deletePart(Path part) {
    for (Path file : list(part)) {
      IoGuard.run(storage, "delete", file, () -> storage.delete(file));
    }
    IoGuard.run(
        storage,
        "delete",
        part,
        () -> {
          storage.delete(part);
          storage.force(directory);
        });
  }

  /** Bytes of the table and of all files of its parts. */
  long sizeBytes(StoreTable table) {
    long bytes = size(directory.resolve(TABLE_FILE));
    for (StoreTable.Part part : table.parts()) {
      for (Path file : list(part(part.number()))) {
        bytes += size(file);
      }
    }
    return bytes;
  }

  List<Path> list(Path path) {
    return IoGuard.call(storage, "list", path, () -> storage.list(path));
  }

  private long size(Path file) {
    return IoGuard.call(storage, "ask for the size of", file, () -> storage.size(file));
  }

  /**
   * @throws FailedException when less than a tenth more than this is free
   */
  void requireFree(long bytes) {
    long needed = bytes + bytes / 10;
    long free = freeBytes();
    if (free < needed) {
      throw new FailedException(
          "too little space for "
              + directory
              + ": needed "
              + needed
              + " bytes, free "
              + free
              + " bytes; free some space or choose a directory on another disk");
    }
  }

  long freeBytes() {
    return IoGuard.call(
        storage, "ask for free space at", directory, () -> storage.usableSpace(directory));
  }

  private <T> Optional<T> read(RecordFile<T> format, String name) {
    Path file = directory.resolve(name);
    if (!storage.exists(file)) {
      return Optional.empty();
    }
    try {
      @Nullable T content = format.read(storage, file);
      return Optional.ofNullable(content);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }
}
