package org.lathe.training.datastore;

import com.google.common.collect.ImmutableList;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.files.RunLock;
import org.lathe.training.files.Storage;

/**
 * Removes documents from a store. A removal is a new table: it holds for every store opened from
 * then on. The bytes go with {@link #compact}, which writes the parts concerned anew. One process
 * at a time changes a store.
 */
public final class DatastoreEditor {
  private static final String PROGRESS = "compacting";

  private final Storage storage;
  private final TableStore files;

  /**
   * What a removal did.
   *
   * @param names of the documents removed now, in order
   * @param numItems that went with them
   */
  public record Removal(List<String> names, long numItems) {
    public Removal {
      names = ImmutableList.copyOf(names);
    }
  }

  /**
   * What a compaction did.
   *
   * @param numItems that are gone from the disk
   */
  public record Compaction(long numItems, long sizeBytesBefore, long sizeBytesAfter) {}

  public DatastoreEditor(Storage storage, Path directory) {
    this.storage = storage;
    this.files = new TableStore(storage, directory);
  }

  /**
   * Removes all live documents that are meant.
   *
   * @param dryRun say what would be removed, change nothing
   * @throws org.lathe.graphs.errors.CorruptFileException when there is no sound store
   * @throws org.lathe.graphs.errors.FailedException when the disk fails, which leaves the store as
   *     it was, or another process works on it
   */
  public Removal remove(Predicate<String> meant, boolean dryRun) {
    files.requireTable();
    if (dryRun) {
      return removal(files.requireTable(), meant, new ArrayList<>());
    }
    try (RunLock ignored = RunLock.acquire(storage, files.directory())) {
      StoreTable table = files.requireTable();
      List<StoreTable.Part> parts = new ArrayList<>();
      Removal removal = removal(table, meant, parts);
      if (!removal.names().isEmpty()) {
        files.write(table.withParts(table.nextPart(), parts));
        files.sweep();
      }
      return removal;
    }
  }

  /** Adds all parts as they will be to the list. */
  private Removal removal(
      StoreTable table, Predicate<String> meant, List<StoreTable.Part> newParts) {
    List<String> names = new ArrayList<>();
    long numItems = 0;
    for (StoreTable.Part part : table.parts()) {
      List<DocumentTableFile.Entry> entries =
          Datastore.readDocuments(storage, files.part(part.number()), table, part);
      BitSet removed = part.removedDocuments();
      for (int i = 0; i < entries.size(); i++) {
        if (!removed.get(i) && meant.test(entries.get(i).name())) {
          removed.set(i);
          names.add(entries.get(i).name());
          numItems += entries.get(i).numItems();
        }
      }
      newParts.add(part.withRemoved(removed));
    }
    return new Removal(names, numItems);
  }

  /**
   * Drops a build or add that is not finished, with its chunks.
   *
   * @return the source that it was made from, or nothing
   */
  public Optional<String> dropUnfinished(boolean dryRun) {
    if (!files.exists()) {
      files.requireTable();
    }
    if (dryRun) {
      return files.job().map(StoreJob::source);
    }
    try (RunLock ignored = RunLock.acquire(storage, files.directory())) {
      Optional<StoreJob> job = files.job();
      if (job.isPresent()) {
        files.deleteJob();
        files.sweep();
      }
      return job.map(StoreJob::source);
    }
  }

  /**
   * Rewrites the parts that hold removed documents without them and deletes the old files. Stopped
   * at any moment it leaves the store before or after; files that nothing lists are deleted by the
   * next writer. An open store keeps the old bytes until it is closed.
   *
   * @throws ConfigException when a text is not finished
   * @throws org.lathe.graphs.errors.CorruptFileException when the store is damaged
   * @throws org.lathe.graphs.errors.FailedException when there is too little space, the disk fails
   *     or another process works on the store
   */
  public Compaction compact(ProgressListener progress) {
    files.requireTable();
    try (RunLock ignored = RunLock.acquire(storage, files.directory())) {
      StoreTable table = files.requireTable();
      Optional<StoreJob> job = files.job();
      if (job.isPresent() && job.get().part() >= table.nextPart()) {
        throw new ConfigException(
            files.directory()
                + " has an unfinished text '"
                + job.get().source()
                + "'; repeat its command to finish it, or drop it with 'lathe datastore remove "
                + files.directory()
                + " --unfinished'");
      }
      job.ifPresent(finished -> files.deleteJob());
      files.sweep();
      long before = files.sizeBytes(table);
      long removedItems = 0;
      long rewrittenItems = 0;
      for (StoreTable.Part part : table.parts()) {
        if (!part.removed().isEmpty()) {
          rewrittenItems += part.numItems();
        }
      }
      files.requireFree(rewrittenItems * SegmentReader.itemBytes(table.identity().width()));
      List<StoreTable.Part> parts = new ArrayList<>();
      int next = table.nextPart();
      long done = 0;
      for (StoreTable.Part part : table.parts()) {
        if (part.removed().isEmpty()) {
          parts.add(part);
          continue;
        }
        Optional<StoreTable.Part> rewritten = rewrite(table, part, next++);
        rewritten.ifPresent(parts::add);
        removedItems += part.numItems() - rewritten.map(StoreTable.Part::numItems).orElse(0L);
        done += part.numItems();
        progress.progress(PROGRESS, done, rewrittenItems);
      }
      if (next == table.nextPart()) {
        return new Compaction(0, before, before);
      }
      StoreTable compacted = table.withParts(next, parts);
      files.write(compacted);
      files.sweep();
      return new Compaction(removedItems, before, files.sizeBytes(compacted));
    }
  }

  /** The part without its removed documents under a new number; nothing when none is left. */
  private Optional<StoreTable.Part> rewrite(StoreTable table, StoreTable.Part part, int number) {
    Path source = files.part(part.number());
    List<DocumentTableFile.Entry> entries = Datastore.readDocuments(storage, source, table, part);
    BitSet removed = part.removedDocuments();
    if (removed.cardinality() == part.numDocuments()) {
      return Optional.empty();
    }
    List<DocumentTableFile.Entry> kept = new ArrayList<>();
    BitSet keptItems = new BitSet();
    int item = 0;
    for (int i = 0; i < entries.size(); i++) {
      int end = item + entries.get(i).numItems();
      if (!removed.get(i)) {
        kept.add(entries.get(i));
        keptItems.set(item, end);
      }
      item = end;
    }
    String sha256 = sha256(part, kept);
    PartWriter writer = new PartWriter(storage, files.part(number));
    List<Integer> segmentItems = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < part.segmentItems().size(); i++) {
      int size = part.segmentItems().get(i);
      int[] rows = keptItems.get(first, first + size).stream().toArray();
      if (rows.length > 0) {
        byte[] oldId = StoreTable.fileId(table.identity(), part.number(), part.sourceSha256(), i);
        byte[] id = StoreTable.fileId(table.identity(), number, sha256, segmentItems.size());
        copy(table, TableStore.segment(source, i), oldId, size, rows, writer, segmentItems, id);
      }
      first += size;
    }
    writer.writeDocuments(
        StoreTable.fileId(table.identity(), number, sha256, DocumentTableFile.FILE_NUMBER), kept);
    return Optional.of(
        new StoreTable.Part(number, part.source(), sha256, segmentItems, kept.size(), List.of()));
  }

  /** Copies some rows of a segment to the next segment of the new part. */
  private void copy(
      StoreTable table,
      Path segment,
      byte[] oldId,
      int size,
      int[] rows,
      PartWriter writer,
      List<Integer> segmentItems,
      byte[] id) {
    int width = table.identity().width();
    try (SegmentReader reader =
        SegmentReader.open(storage, segment, oldId, size, width, /* checkAll= */ true)) {
      int[] values = new int[rows.length];
      for (int i = 0; i < rows.length; i++) {
        values[i] = reader.value(rows[i]);
      }
      writer.writeSegment(
          segmentItems.size(),
          id,
          width,
          values,
          out -> {
            byte[] key = new byte[Short.BYTES * width];
            for (int row : rows) {
              reader.readKeyBytes(row, key);
              out.writeBytes(key);
            }
          });
    }
    segmentItems.add(rows.length);
  }

  /** The rest of a source is another source: adding the whole again is no repetition. */
  private static String sha256(StoreTable.Part part, List<DocumentTableFile.Entry> kept) {
    Hasher hasher = Hashing.sha256().newHasher();
    hasher.putString(part.sourceSha256(), StandardCharsets.US_ASCII);
    for (DocumentTableFile.Entry entry : kept) {
      hasher.putLong(entry.firstPosition()).putInt(entry.numItems());
    }
    return hasher.hash().toString();
  }
}
