package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.RunLock;
import org.lathe.training.files.Storage;

/**
 * Makes a store from a text, or adds a text to one, chunk by chunk. Killed at any moment it
 * continues after the last complete chunk, and the finished files are those of a build that nobody
 * interrupted, byte for byte, as far as the encoder repeats itself. Readers see a text when it is
 * complete.
 */
public final class DatastoreBuilder {
  /** Size of a chunk's keys: some seconds of work, few enough files. */
  private static final long CHUNK_BYTES = 32L << 20;

  /** For the table, which grows by a few characters a segment. */
  private static final long TABLE_BYTES = 2048;

  private static final long TABLE_BYTES_PER_SEGMENT = 12;
  private static final String PROGRESS = "storing keys";

  /** How a build ended. */
  public enum Ending {
    DONE,
    /** Asked to stop; complete chunks are kept. */
    STOPPED,
    /** The store holds this very text already. */
    ALREADY_THERE
  }

  private final Storage storage;
  private final TableStore files;
  private final StoreIdentity identity;
  private final boolean isNew;
  private final int chunkItems;

  private DatastoreBuilder(
      Storage storage, Path directory, StoreIdentity identity, boolean isNew, int chunkItems) {
    this.storage = storage;
    this.files = new TableStore(storage, directory);
    this.identity = identity;
    this.isNew = isNew;
    this.chunkItems = chunkItems;
  }

  /** A builder of a new store, or of one whose build was interrupted. */
  public static DatastoreBuilder forNew(Storage storage, Path directory, StoreIdentity identity) {
    return forNew(storage, directory, identity, chunkItems(identity.width()));
  }

  static DatastoreBuilder forNew(
      Storage storage, Path directory, StoreIdentity identity, int chunkItems) {
    return new DatastoreBuilder(storage, directory, identity, true, chunkItems);
  }

  /**
   * A builder that adds to a finished store, with its windows.
   *
   * @param source of the model, for messages
   * @throws GraphMismatchException when another model or tokenizer made the store
   * @throws org.lathe.graphs.errors.CorruptFileException when there is no sound store
   */
  public static DatastoreBuilder forAdding(
      Storage storage,
      Path directory,
      String modelFingerprint,
      String tokenizerFingerprint,
      String source) {
    StoreIdentity identity = new TableStore(storage, directory).requireTable().identity();
    Datastore.requireModel(directory, identity, modelFingerprint, source);
    if (!identity.tokenizerFingerprint().equals(tokenizerFingerprint)) {
      throw new GraphMismatchException(
          directory
              + " holds tokens of a tokenizer with fingerprint "
              + identity.tokenizerFingerprint()
              + ", but the data of "
              + source
              + " has "
              + tokenizerFingerprint
              + ". Use the data that the store was built from.");
    }
    return new DatastoreBuilder(storage, directory, identity, false, chunkItems(identity.width()));
  }

  private static int chunkItems(int width) {
    return Math.toIntExact(Math.max(1, CHUNK_BYTES / SegmentReader.itemBytes(width)));
  }

  /** What the store's keys are. */
  public StoreIdentity identity() {
    return identity;
  }

  /**
   * What there is to do; changes nothing.
   *
   * @throws ConfigException when the text has no item, or too many
   */
  public BuildEstimate estimate(SourceText text) {
    EncodingPlan plan = new EncodingPlan(text, identity, chunkItems);
    int done =
        files
            .job()
            .filter(job -> job.sourceSha256().equals(text.sha256()))
            .map(job -> chunksDone(job.part(), plan))
            .orElse(0);
    return new BuildEstimate(
        plan.numItems(),
        plan.documents().size(),
        plan.chunks().size(),
        done,
        plan.numEncodedPositions(),
        sizeBytes(plan, 0),
        files.freeBytes());
  }

  private int chunksDone(int part, EncodingPlan plan) {
    int done = 0;
    while (done < plan.chunks().size()
        && storage.exists(TableStore.segment(files.part(part), done))) {
      done++;
    }
    return done;
  }

  /** Bytes of the files that a plan makes, from this chunk on. */
  private long sizeBytes(EncodingPlan plan, int firstChunk) {
    long bytes = TABLE_BYTES + TABLE_BYTES_PER_SEGMENT * plan.chunks().size();
    for (EncodingPlan.Chunk chunk : plan.chunks().subList(firstChunk, plan.chunks().size())) {
      bytes += PartWriter.fileBytes(SegmentReader.payloadBytes(chunk.numItems(), identity.width()));
    }
    long documents = 0;
    for (DocumentTableFile.Entry entry : plan.documents()) {
      documents += DocumentTableFile.sizeBytes(entry.name());
    }
    return bytes + PartWriter.fileBytes(documents);
  }

  /**
   * Seconds that encoding the text would take, from the second of two runs through the model.
   *
   * @param nanoClock System::nanoTime, or a test's clock
   */
  public double estimateSeconds(SourceText text, TextEncoder encoder, LongSupplier nanoClock) {
    EncodingPlan plan = new EncodingPlan(text, identity, chunkItems);
    EncodingPlan.Run run = plan.chunks().get(0).runs().get(0);
    int[] tokens = plan.tokens(run);
    encoder.encode(tokens, run.windows().size(), run.length());
    long start = nanoClock.getAsLong();
    encoder.encode(tokens, run.windows().size(), run.length());
    double secondsPerPosition = (nanoClock.getAsLong() - start) * 1e-9 / tokens.length;
    return secondsPerPosition * plan.numEncodedPositions();
  }

  /**
   * Encodes and stores the text, from where an interrupted call stopped.
   *
   * @param stop asked between runs of windows
   * @throws ConfigException when another store or another unfinished text is in the way
   * @throws org.lathe.graphs.errors.CorruptFileException when the store is damaged
   * @throws org.lathe.graphs.errors.FailedException when there is too little space, the disk fails
   *     or another process works on the store; the same call continues
   */
  public Ending run(
      SourceText text, TextEncoder encoder, ProgressListener progress, BooleanSupplier stop) {
    Preconditions.checkArgument(
        encoder.width() == identity.width(),
        "the encoder gives keys of width %s, the store has %s",
        encoder.width(),
        identity.width());
    EncodingPlan plan = new EncodingPlan(text, identity, chunkItems);
    requireOwnDirectory();
    if (!files.exists()) {
      // before anything is created
      files.requireFree(sizeBytes(plan, 0));
    }
    try (RunLock ignored = RunLock.acquire(storage, files.directory())) {
      Optional<StoreTable> table = files.table();
      dropFinishedJob(table);
      files.sweep();
      if (isThere(table, text)) {
        return Ending.ALREADY_THERE;
      }
      StoreJob job =
          new StoreJob(
              identity,
              table.map(StoreTable::nextPart).orElse(1),
              text.name(),
              text.sha256(),
              chunkItems,
              plan.chunks().size());
      begin(job, plan);
      if (!writeChunks(job, plan, encoder, progress, stop)) {
        return Ending.STOPPED;
      }
      commit(job, plan, table);
      return Ending.DONE;
    }
  }

  /** A new store goes into a directory of its own, or it could not be told from other files. */
  private void requireOwnDirectory() {
    Path directory = files.directory();
    if (!isNew || files.exists() || !storage.exists(directory)) {
      return;
    }
    // a lock, or what a build leaves that was killed before its job file was renamed
    boolean isOurs =
        storage.isDirectory(directory)
            && files.list(directory).stream()
                .map(child -> child.getFileName().toString())
                .allMatch(
                    name -> name.startsWith(".") || name.equals(TableStore.JOB_FILE + ".staging"));
    if (!isOurs) {
      throw new ConfigException(
          directory + " holds other things; name a directory that does not exist, or an empty one");
    }
  }

  private void dropFinishedJob(Optional<StoreTable> table) {
    Optional<StoreJob> job = files.job();
    if (job.isPresent() && table.isPresent() && job.get().part() < table.get().nextPart()) {
      files.deleteJob();
    }
  }

  private boolean isThere(Optional<StoreTable> table, SourceText text) {
    if (table.isEmpty()) {
      return false;
    }
    boolean isThere =
        table.get().identity().equals(identity)
            && table.get().parts().stream()
                .anyMatch(
                    part -> part.sourceSha256().equals(text.sha256()) && part.removed().isEmpty());
    if (isNew && !isThere) {
      throw new ConfigException(
          files.directory()
              + " is a finished datastore of another text, model or setting and is not overwritten;"
              + " add to it with 'lathe datastore add', or name another --out");
    }
    return isThere;
  }

  private void begin(StoreJob job, EncodingPlan plan) {
    Optional<StoreJob> found = files.job();
    if (found.isPresent() && !found.get().equals(job)) {
      throw new ConfigException(
          files.directory()
              + " has an unfinished text '"
              + found.get().source()
              + "' of another content or setting; repeat its command to finish it, or drop it with"
              + " 'lathe datastore remove "
              + files.directory()
              + " --unfinished'");
    }
    files.requireFree(sizeBytes(plan, chunksDone(job.part(), plan)));
    if (found.isEmpty()) {
      files.write(job);
    } else {
      // an earlier write may have failed between the rename and this
      Path directory = files.directory();
      IoGuard.run(storage, "force", directory, () -> storage.force(directory));
    }
  }

  /** False when asked to stop. */
  private boolean writeChunks(
      StoreJob job,
      EncodingPlan plan,
      TextEncoder encoder,
      ProgressListener progress,
      BooleanSupplier stop) {
    PartWriter part = new PartWriter(storage, files.part(job.part()));
    ChunkWriter writer = new ChunkWriter(part, plan, encoder, stop);
    long itemsDone = 0;
    for (int i = 0; i < plan.chunks().size(); i++) {
      if (!part.hasSegment(i)) {
        byte[] id = StoreTable.fileId(identity, job.part(), job.sourceSha256(), i);
        long before = itemsDone;
        if (!writer.write(
            i, id, items -> progress.progress(PROGRESS, before + items, plan.numItems()))) {
          return false;
        }
      }
      itemsDone += plan.chunks().get(i).numItems();
      progress.progress(PROGRESS, itemsDone, plan.numItems());
    }
    return true;
  }

  private void commit(StoreJob job, EncodingPlan plan, Optional<StoreTable> table) {
    new PartWriter(storage, files.part(job.part()))
        .writeDocuments(
            StoreTable.fileId(
                identity, job.part(), job.sourceSha256(), DocumentTableFile.FILE_NUMBER),
            plan.documents());
    StoreTable.Part part =
        new StoreTable.Part(
            job.part(),
            job.source(),
            job.sourceSha256(),
            plan.chunks().stream().map(EncodingPlan.Chunk::numItems).toList(),
            plan.documents().size(),
            List.of());
    files.write(
        table.isEmpty()
            ? new StoreTable(identity, 1, job.part() + 1, List.of(part))
            : table
                .get()
                .withParts(
                    job.part() + 1,
                    ImmutableList.<StoreTable.Part>builder()
                        .addAll(table.get().parts())
                        .add(part)
                        .build()));
    files.deleteJob();
  }
}
