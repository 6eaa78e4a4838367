package org.lathe.cli.workflow;

import com.google.common.io.ByteStreams;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** Float32 numbers and nothing else, little-endian: what other programs read and write. */
final class RawFloatFile {
  private static final int NUMBERS_PER_PART = 1 << 18;

  private RawFloatFile() {}

  static void write(Storage storage, Path file, float[] numbers) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            byte[] part = new byte[NUMBERS_PER_PART * Float.BYTES];
            for (int begin = 0; begin < numbers.length; begin += NUMBERS_PER_PART) {
              int size = Math.min(NUMBERS_PER_PART, numbers.length - begin);
              ByteBuffer.wrap(part)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .asFloatBuffer()
                  .put(numbers, begin, size);
              out.write(part, 0, size * Float.BYTES);
            }
          }
        });
  }

  /**
   * @param width numbers of a row
   * @throws ConfigException when the file is absent or too large for one array
   * @throws CorruptFileException when it holds a part of a row, or nothing
   */
  static float[] read(Storage storage, Path file, int width) {
    if (!storage.exists(file)) {
      throw new ConfigException("no file at " + file + "; make one with --write DIR");
    }
    return IoGuard.call(storage, "read", file, () -> readRows(storage, file, width));
  }

  private static float[] readRows(Storage storage, Path file, int width) throws IOException {
    long size = storage.size(file);
    long rowBytes = (long) width * Float.BYTES;
    if (size == 0 || size % rowBytes != 0) {
      throw new CorruptFileException(
          "%s has %d bytes, expected rows of %d bytes (width %d, float32); give the width it was written with"
              .formatted(file, size, rowBytes, width));
    }
    if (size / Float.BYTES > Integer.MAX_VALUE - 8) {
      throw new ConfigException(file + " has " + size + " bytes; expected fewer than 8 GiB");
    }
    float[] numbers = new float[(int) (size / Float.BYTES)];
    byte[] part = new byte[NUMBERS_PER_PART * Float.BYTES];
    try (InputStream in = storage.open(file)) {
      for (int begin = 0; begin < numbers.length; begin += NUMBERS_PER_PART) {
        int some = Math.min(NUMBERS_PER_PART, numbers.length - begin);
        ByteStreams.readFully(in, part, 0, some * Float.BYTES);
        ByteBuffer.wrap(part)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(numbers, begin, some);
      }
    }
    return numbers;
  }
}
