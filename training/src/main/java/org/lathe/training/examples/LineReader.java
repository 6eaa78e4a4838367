package org.lathe.training.examples;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** The lines of a UTF-8 file, unpacked first if its name ends in .gz. */
final class LineReader implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;
  static final String BYTE_ORDER_MARK = "\uFEFF";

  private final Storage storage;
  private final Path file;
  private final TableLimits limits;
  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int filled;
  private long bytesRead;
  private long lineNumber;

  private LineReader(Storage storage, Path file, TableLimits limits, InputStream in) {
    this.storage = storage;
    this.file = file;
    this.limits = limits;
    this.in = in;
  }

  /**
   * Opens a file.
   *
   * @throws CorruptFileException when it is missing or no gzip file
   * @throws org.lathe.graphs.errors.FailedException when it cannot be read
   */
  static LineReader open(Storage storage, Path file, TableLimits limits) {
    if (!storage.exists(file) || storage.isDirectory(file)) {
      throw new CorruptFileException("%s is no file; correct its path.".formatted(file));
    }
    InputStream raw = IoGuard.call(storage, "open", file, () -> storage.open(file));
    try {
      InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
      return new LineReader(storage, file, limits, in);
    } catch (IOException e) {
      IoGuard.run(storage, "close", file, raw::close);
      throw damaged(storage, file, e);
    }
  }

  /** The next line without its line feed; a carriage return before it is kept. Null at the end. */
  @Nullable String next() {
    byte[] line = new byte[256];
    int size = 0;
    boolean ended = false;
    while (!ended) {
      if (position == filled && !fill()) {
        break;
      }
      int end = position;
      while (end < filled && buffer[end] != '\n') {
        end++;
      }
      int more = end - position;
      if (more > limits.rowBytes() - size) {
        throw new CorruptFileException(
            "line %d of %s is longer than the limit of %d bytes; is it a table?"
                .formatted(lineNumber + 1, file, limits.rowBytes()));
      }
      if (size + more > line.length) {
        line = Arrays.copyOf(line, Math.max(size + more, 2 * line.length));
      }
      System.arraycopy(buffer, position, line, size, more);
      size += more;
      ended = end < filled;
      position = ended ? end + 1 : end;
    }
    if (!ended && size == 0) {
      return null;
    }
    lineNumber++;
    String text = decode(line, size);
    return lineNumber == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
  }

  /** Number of the last line, from 1. */
  long lineNumber() {
    return lineNumber;
  }

  @Override
  public void close() {
    IoGuard.run(storage, "close", file, in::close);
  }

  private boolean fill() {
    try {
      position = 0;
      filled = Math.max(0, in.read(buffer));
    } catch (IOException e) {
      throw damaged(storage, file, e);
    }
    bytesRead += filled;
    if (bytesRead > limits.tableBytes()) {
      throw new CorruptFileException(
          "%s has more than the limit of %d bytes unpacked; split it."
              .formatted(file, limits.tableBytes()));
    }
    return filled > 0;
  }

  private String decode(byte[] bytes, int size) {
    ByteBuffer source = ByteBuffer.wrap(bytes, 0, size);
    // UTF-8 never has fewer bytes than UTF-16 has code units
    CharBuffer target = CharBuffer.allocate(size);
    CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(source, target, true);
    if (result.isError()) {
      throw new CorruptFileException(
          "line %d of %s is not UTF-8 at its byte %d (0x%02x); convert the file to UTF-8."
              .formatted(lineNumber, file, source.position() + 1, bytes[source.position()]));
    }
    return target.flip().toString();
  }

  private static RuntimeException damaged(Storage storage, Path file, IOException e) {
    if (e instanceof ZipException || e instanceof EOFException) {
      return new CorruptFileException(
          "%s is a damaged .gz file (%s); fetch it again.".formatted(file, e.getMessage()), e);
    }
    return IoGuard.failed(storage, "read", file, e);
  }
}
