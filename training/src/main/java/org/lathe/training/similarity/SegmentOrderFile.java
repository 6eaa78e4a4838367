package org.lathe.training.similarity;

import com.google.common.base.Preconditions;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.data.TokenFile;
import org.lathe.training.files.FramedFile;
import org.lathe.training.files.FramedFileReader;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Keeps a {@link SegmentOrder}, so that a resumed run need not search again.
 *
 * <pre>
 * id       the first 16 bytes of the SHA-256 of what decides the order
 * payload  steps to a hit i32 | segments i32 each
 * </pre>
 */
public final class SegmentOrderFile {
  static final String KIND = "segment-order";
  static final int VERSION = 1;

  private SegmentOrderFile() {}

  /**
   * The order in a file, or, where there is no file, the order searched for and written there.
   *
   * @param threads that search; 0 = one per core
   * @throws CorruptFileException when the file is damaged or belongs to other data or settings
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws FailedException when the disk fails
   */
  public static SegmentOrder readOrSearch(
      Storage storage,
      Path file,
      TokenFile tokens,
      int segmentLength,
      SimilarityConfig config,
      long seed,
      int threads,
      ProgressListener progress) {
    byte[] id = id(tokens.sha256(), segmentLength, config, seed);
    if (storage.exists(file)) {
      return read(storage, file, id, SegmentOrder.numSegments(tokens, segmentLength));
    }
    SegmentOrder order = SegmentOrder.of(tokens, segmentLength, config, seed, threads, progress);
    write(storage, file, id, order);
    return order;
  }

  /** Shards and threads are left out: they do not change the order. */
  static byte[] id(String tokensSha256, int segmentLength, SimilarityConfig config, long seed) {
    String decisive =
        "%s T=%d k1=%s b=%s hits=%d queryTerms=%d seed=%d"
            .formatted(
                tokensSha256,
                segmentLength,
                config.k1(),
                config.b(),
                config.hits(),
                config.queryTerms(),
                seed);
    byte[] hash = Hashing.sha256().hashString(decisive, StandardCharsets.UTF_8).asBytes();
    return Arrays.copyOf(hash, FramedFile.ID_BYTES);
  }

  static void write(Storage storage, Path file, byte[] id, SegmentOrder order) {
    Path staging = file.resolveSibling(file.getFileName() + ".staging");
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          storage.delete(staging);
          try (FramedFileWriter writer =
              new FramedFileWriter(storage, staging, KIND, VERSION, id)) {
            writer.writeInt(order.numFollowed());
            for (int segment : order.segments()) {
              writer.writeInt(segment);
            }
            writer.finish();
          }
          storage.force(staging);
          storage.move(staging, file);
          Path directory = file.toAbsolutePath().getParent();
          if (directory != null) {
            storage.force(directory);
          }
        });
  }

  static SegmentOrder read(Storage storage, Path file, byte[] id, int numSegments) {
    try (FramedFileReader reader =
        IoGuard.call(
            storage, "read", file, () -> FramedFileReader.open(storage, file, KIND, VERSION))) {
      Preconditions.checkArgument(
          Arrays.equals(reader.id(), id), "it was made from other tokens or with other settings");
      // checked before anything of this size is allocated
      Preconditions.checkArgument(
          reader.size() == Integer.BYTES * (1L + numSegments),
          "it has %s bytes for %s segments",
          reader.size(),
          numSegments);
      int[] segments = new int[numSegments];
      for (int i = 0; i < numSegments; i++) {
        segments[i] = reader.intAt(Integer.BYTES * (1L + i));
      }
      return new SegmentOrder(segments, reader.intAt(0));
    } catch (IllegalArgumentException e) {
      throw corrupt(file, e);
    }
  }

  private static CorruptFileException corrupt(Path file, Exception cause) {
    return new CorruptFileException(
        "%s does not hold the order of this text's segments: %s; delete it, and it is made again."
            .formatted(file, cause.getMessage()),
        cause);
  }
}
