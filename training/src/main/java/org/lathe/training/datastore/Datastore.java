package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.files.Storage;

/**
 * External memory on disk, opened for reading: keys in float16, memory-mapped, with values,
 * positions and documents. Made by {@link DatastoreBuilder}, changed by {@link DatastoreEditor}.
 *
 * <p>Items are numbered from 0 through the live documents only, so that no search over a store's
 * keys can find what was removed, and nothing needs to be cut from its results. Numbers are stable
 * while the store is open. {@link #storedNumber} gives a second number that survives removals, for
 * an index that is kept on disk.
 *
 * <p>Opening reads tables and checksums; the bytes of keys and values are verified when they are
 * first read. Safe for several threads. What is opened stays as it is; open again to see changes.
 */
public final class Datastore implements MemoryItems, AutoCloseable {
  private final StoreTable table;
  private final Path directory;
  private final List<SegmentReader> segments = new ArrayList<>();

  /** Stored number of each segment's first item; one more entry with the number of all. */
  private final int[] segmentFirst;

  private final List<StoredDocument> documents;

  /** Live number of each document's first item, or where it would be; ascending. */
  private final int[] liveFirst;

  /** Stored number of each document's first item; ascending. */
  private final int[] storedFirst;

  private final int numItems;
  private final long sizeBytes;

  private Datastore(Storage storage, Path directory, StoreTable table, boolean checkAll) {
    this.table = table;
    this.directory = directory;
    int numSegments = 0;
    int numDocuments = 0;
    for (StoreTable.Part part : table.parts()) {
      numSegments += part.segmentItems().size();
      numDocuments = Math.addExact(numDocuments, part.numDocuments());
    }
    segmentFirst = new int[numSegments + 1];
    boolean opened = false;
    try {
      List<StoredDocument> found = new ArrayList<>();
      int stored = 0;
      TableStore files = new TableStore(storage, directory);
      for (StoreTable.Part part : table.parts()) {
        Path path = files.part(part.number());
        openSegments(storage, path, part, stored, checkAll);
        addDocuments(readDocuments(storage, path, table, part), part, found);
        stored += Math.toIntExact(part.numItems());
      }
      segmentFirst[numSegments] = stored;
      documents = Collections.unmodifiableList(found);
      sizeBytes = files.sizeBytes(table);
      opened = true;
    } finally {
      if (!opened) {
        segments.forEach(SegmentReader::close);
      }
    }
    liveFirst = new int[numDocuments];
    storedFirst = new int[numDocuments];
    int live = 0;
    int stored = 0;
    for (StoredDocument document : documents) {
      liveFirst[document.number()] = live;
      storedFirst[document.number()] = stored;
      live += document.live() ? document.numItems() : 0;
      stored += document.numItems();
    }
    numItems = live;
  }

  /**
   * Opens a finished store.
   *
   * @throws CorruptFileException when there is none, or it is damaged
   * @throws org.lathe.graphs.errors.FormatTooNewException when a newer Lathe wrote it
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static Datastore open(Storage storage, Path directory) {
    StoreTable table = new TableStore(storage, directory).requireTable();
    return new Datastore(storage, directory, table, false);
  }

  /** The same with every byte verified now. */
  static Datastore openChecked(Storage storage, Path directory) {
    StoreTable table = new TableStore(storage, directory).requireTable();
    return new Datastore(storage, directory, table, true);
  }

  private void openSegments(
      Storage storage, Path path, StoreTable.Part part, int storedItems, boolean checkAll) {
    int first = storedItems;
    for (int i = 0; i < part.segmentItems().size(); i++) {
      int size = part.segmentItems().get(i);
      segmentFirst[segments.size()] = first;
      segments.add(
          SegmentReader.open(
              storage,
              TableStore.segment(path, i),
              StoreTable.fileId(table.identity(), part.number(), part.sourceSha256(), i),
              size,
              table.identity().width(),
              checkAll));
      first += size;
    }
  }

  static List<DocumentTableFile.Entry> readDocuments(
      Storage storage, Path path, StoreTable table, StoreTable.Part part) {
    Path file = TableStore.documents(path);
    List<DocumentTableFile.Entry> entries =
        DocumentTableFile.read(
            storage,
            file,
            StoreTable.fileId(
                table.identity(),
                part.number(),
                part.sourceSha256(),
                DocumentTableFile.FILE_NUMBER));
    long items = entries.stream().mapToLong(DocumentTableFile.Entry::numItems).sum();
    if (entries.size() != part.numDocuments() || items != part.numItems()) {
      throw new CorruptFileException(
          "%s lists %d documents with %d items, %s expects %d with %d; restore the store from a copy or build it again"
              .formatted(
                  file,
                  entries.size(),
                  items,
                  TableStore.TABLE_FILE,
                  part.numDocuments(),
                  part.numItems()));
    }
    return entries;
  }

  private static void addDocuments(
      List<DocumentTableFile.Entry> entries, StoreTable.Part part, List<StoredDocument> documents) {
    BitSet removed = part.removedDocuments();
    int live = 0;
    for (StoredDocument document : documents) {
      live += document.live() ? document.numItems() : 0;
    }
    for (int i = 0; i < entries.size(); i++) {
      DocumentTableFile.Entry entry = entries.get(i);
      boolean isLive = !removed.get(i);
      documents.add(
          new StoredDocument(
              documents.size(),
              entry.name(),
              part.source(),
              isLive,
              isLive ? live : -1,
              entry.numItems(),
              entry.firstPosition()));
      live += isLive ? entry.numItems() : 0;
    }
  }

  /** What the keys are and which model made them. */
  public StoreIdentity identity() {
    return table.identity();
  }

  /** Fingerprint of the model that made the keys. */
  public String fingerprint() {
    return table.identity().modelFingerprint();
  }

  /**
   * Checks that queries of this model may be compared with the keys.
   *
   * @param modelFingerprint see ModelFingerprint
   * @param source of the model, for the message
   * @throws GraphMismatchException when another model made the keys
   */
  public void requireModel(String modelFingerprint, String source) {
    requireModel(directory, table.identity(), modelFingerprint, source);
  }

  static void requireModel(
      Path directory, StoreIdentity identity, String modelFingerprint, String source) {
    if (!identity.modelFingerprint().equals(modelFingerprint)) {
      throw new GraphMismatchException(
          directory
              + " holds keys of a model with fingerprint "
              + identity.modelFingerprint()
              + ", but "
              + source
              + " has "
              + modelFingerprint
              + ": keys and queries of different weights cannot be compared. Use the run that the"
              + " store was built from, or build a store for this one with 'lathe datastore build "
              + source
              + " --out DIR'.");
    }
  }

  /** D of the keys. */
  public int width() {
    return table.identity().width();
  }

  @Override
  public int numItems() {
    return numItems;
  }

  /**
   * Copies the keys of items [from, from + count) to the target, row-major, from index at on.
   *
   * @throws CorruptFileException when their bytes are damaged
   */
  @Override
  public void readKeys(int from, int count, float[] target, int at) {
    Preconditions.checkPositionIndexes(from, from + count, numItems);
    int done = 0;
    while (done < count) {
      int document = document(from + done);
      int offset = from + done - liveFirst[document];
      int size = Math.min(count - done, documents.get(document).numItems() - offset);
      readStored(storedFirst[document] + offset, size, target, at + done * width());
      done += size;
    }
  }

  private void readStored(int from, int count, float[] target, int at) {
    int done = 0;
    while (done < count) {
      int segment = segment(from + done);
      int row = from + done - segmentFirst[segment];
      int size = Math.min(count - done, segments.get(segment).numItems() - row);
      segments.get(segment).readKeys(row, size, target, at + done * width());
      done += size;
    }
  }

  /** The keys of items [from, from + count), row-major (count, width). */
  public float[] keys(int from, int count) {
    float[] keys = new float[Math.multiplyExact(count, width())];
    readKeys(from, count, keys, 0);
    return keys;
  }

  /**
   * @throws CorruptFileException when its bytes are damaged or it is no token of the vocabulary
   */
  @Override
  public int value(int item) {
    int stored = storedNumber(item);
    int segment = segment(stored);
    int value = segments.get(segment).value(stored - segmentFirst[segment]);
    if (value < 0 || value >= table.identity().vocabularySize()) {
      throw new CorruptFileException(
          "%s: item %d has the value %d, outside the vocabulary of %d; build the store again"
              .formatted(directory, item, value, table.identity().vocabularySize()));
    }
    return value;
  }

  /** Position in the source of its document; documents of a source follow each other. */
  @Override
  public long position(int item) {
    int document = document(item);
    return documents.get(document).firstPosition() + item - liveFirst[document];
  }

  @Override
  public int document(int item) {
    Preconditions.checkElementIndex(item, numItems, "item");
    return last(liveFirst, item);
  }

  /** All documents, removed ones included, by number. */
  public List<StoredDocument> documents() {
    return documents;
  }

  /**
   * A number below {@link #numStored} that stays the item's when documents are removed or added,
   * until the store is compacted, see {@link #storedFingerprint}.
   */
  public int storedNumber(int item) {
    int document = document(item);
    return storedFirst[document] + item - liveFirst[document];
  }

  /** Number of items with those that are removed. */
  public int numStored() {
    return segmentFirst[segments.size()];
  }

  /** The item with this stored number, or -1 when it is removed: cut it before the best K are. */
  public int liveNumber(int stored) {
    Preconditions.checkElementIndex(stored, numStored(), "stored number");
    int document = last(storedFirst, stored);
    return documents.get(document).live()
        ? liveFirst[document] + stored - storedFirst[document]
        : -1;
  }

  public boolean isLive(int stored) {
    return liveNumber(stored) >= 0;
  }

  /** SHA-256 of what the live items are: an index by item numbers fits exactly this. */
  public String contentFingerprint() {
    Hasher hasher = hasher();
    for (StoreTable.Part part : table.parts()) {
      hasher.putUnencodedChars(part.removed().toString());
    }
    return hasher.hash().toString();
  }

  /** SHA-256 of what is stored, removed or not: an index by stored numbers fits exactly this. */
  public String storedFingerprint() {
    return hasher().hash().toString();
  }

  private Hasher hasher() {
    Hasher hasher = Hashing.sha256().newHasher();
    hasher.putString(table.identity().toString(), StandardCharsets.UTF_8);
    for (StoreTable.Part part : table.parts()) {
      hasher.putInt(part.number()).putUnencodedChars(part.sourceSha256());
      hasher.putUnencodedChars(part.segmentItems().toString());
    }
    return hasher;
  }

  /** Whether items come from exactly this text, so that a query of it would find itself. */
  public boolean holds(TokenFile text) {
    String sha256 = SourceText.of("", text, 0).sha256();
    return table.parts().stream().anyMatch(part -> part.sourceSha256().equals(sha256));
  }

  /** Bytes on disk, removed items included, without indexes. */
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void close() {
    segments.forEach(SegmentReader::close);
  }

  private int segment(int stored) {
    return last(segmentFirst, stored);
  }

  /** Index of the last entry that is at most the number; of equal entries the last. */
  private static int last(int[] ascending, int number) {
    int found = Arrays.binarySearch(ascending, number);
    if (found < 0) {
      return -found - 2;
    }
    // documents without items share their number with the next one
    while (found + 1 < ascending.length && ascending[found + 1] == number) {
      found++;
    }
    return found;
  }
}
