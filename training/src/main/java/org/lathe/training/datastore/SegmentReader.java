package org.lathe.training.datastore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.FramedFileReader;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Values and keys of one chunk, mapped; bytes are checked when they are first read.
 *
 * <pre>
 * payload  number of items i32 | width i32 | values, i32 each | keys, float16, row-major
 * </pre>
 */
final class SegmentReader implements AutoCloseable {
  static final String KIND = "datastore-segment";
  static final int VERSION = 1;
  static final int HEADER_BYTES = 2 * Integer.BYTES;

  private final FramedFileReader file;
  private final int numItems;
  private final int width;

  private SegmentReader(FramedFileReader file, int numItems, int width) {
    this.file = file;
    this.numItems = numItems;
    this.width = width;
  }

  /**
   * @param checkAll verify every byte now
   * @throws CorruptFileException when it is missing, damaged, not the file of this id, or of other
   *     sizes than the table says
   */
  static SegmentReader open(
      Storage storage, Path path, byte[] id, int numItems, int width, boolean checkAll) {
    if (!storage.exists(path)) {
      throw corrupt(path, "it is missing");
    }
    FramedFileReader file =
        IoGuard.call(storage, "read", path, () -> frame(storage, path, checkAll));
    try {
      requireId(file, id);
      long expected = payloadBytes(numItems, width);
      if (file.size() != expected) {
        throw corrupt(path, "its payload has " + file.size() + " bytes, expected " + expected);
      }
      if (file.intAt(0) != numItems || file.intAt(Integer.BYTES) != width) {
        throw corrupt(
            path,
            "it holds %d items of width %d, expected %d of width %d"
                .formatted(file.intAt(0), file.intAt(Integer.BYTES), numItems, width));
      }
      return new SegmentReader(file, numItems, width);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static FramedFileReader frame(Storage storage, Path path, boolean checkAll)
      throws IOException {
    return checkAll
        ? FramedFileReader.open(storage, path, KIND, VERSION)
        : FramedFileReader.openLazily(storage, path, KIND, VERSION);
  }

  static void requireId(FramedFileReader file, byte[] id) {
    if (!Arrays.equals(file.id(), id)) {
      throw corrupt(file.file(), "it belongs to another store or another place in this one");
    }
  }

  static long payloadBytes(long numItems, int width) {
    return HEADER_BYTES + numItems * itemBytes(width);
  }

  /** Value and key. */
  static long itemBytes(int width) {
    return Integer.BYTES + (long) Short.BYTES * width;
  }

  int numItems() {
    return numItems;
  }

  int value(int row) {
    return file.intAt(HEADER_BYTES + (long) row * Integer.BYTES);
  }

  /** Writes the keys of rows [row, row + count) to the target from index at on. */
  void readKeys(int row, int count, float[] target, int at) {
    byte[] bytes = new byte[Math.toIntExact((long) count * width * Short.BYTES)];
    readKeyBytes(row, bytes);
    ByteBuffer halves = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count * width; i++) {
      target[at + i] = Float16.toFloat(halves.getShort());
    }
  }

  /** As they lie in the file, as many rows as fill the target. */
  void readKeyBytes(int row, byte[] target) {
    long keys = HEADER_BYTES + (long) numItems * Integer.BYTES;
    file.read(keys + (long) row * width * Short.BYTES, target, 0, target.length);
  }

  @Override
  public void close() {
    file.close();
  }

  static CorruptFileException corrupt(Path file, String problem) {
    return new CorruptFileException(
        file
            + " is not a sound part of its datastore: "
            + problem
            + "; restore the store from a copy or build it again");
  }
}
