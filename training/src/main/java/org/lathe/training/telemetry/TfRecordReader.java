package org.lathe.training.telemetry;

import com.google.common.base.Preconditions;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** Reads a TFRecord file from its start and checks both checksums of every record. */
public final class TfRecordReader implements AutoCloseable {
  private static final int HEADER_BYTES = TfRecords.LENGTH_BYTES + TfRecords.CRC_BYTES;

  private final Storage storage;
  private final Path file;
  private final int maxRecordBytes;
  private final long sizeBytes;
  private final InputStream in;
  private long offset;

  /**
   * @param maxRecordBytes limit of a payload
   * @throws org.lathe.graphs.errors.FailedException when the file cannot be opened
   */
  public TfRecordReader(Storage storage, Path file, int maxRecordBytes) {
    Preconditions.checkArgument(maxRecordBytes >= 0, "negative limit: %s", maxRecordBytes);
    this.storage = storage;
    this.file = file;
    this.maxRecordBytes = maxRecordBytes;
    this.sizeBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
    this.in =
        new BufferedInputStream(IoGuard.call(storage, "open", file, () -> storage.open(file)));
  }

  /**
   * The next payload; empty at the end.
   *
   * @throws CorruptFileException naming the offset, when a record is torn, damaged or too long
   */
  public Optional<byte[]> next() {
    return IoGuard.call(storage, "read", file, this::read);
  }

  @Override
  public void close() {
    IoGuard.run(storage, "close", file, in::close);
  }

  private Optional<byte[]> read() throws IOException {
    byte[] header = in.readNBytes(HEADER_BYTES);
    if (header.length == 0) {
      return Optional.empty();
    }
    if (header.length < HEADER_BYTES) {
      throw corrupt("the file ends inside a record's header");
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    long length = fields.getLong();
    requireCrc("length", header, TfRecords.LENGTH_BYTES, fields.getInt());
    if (length < 0 || length > maxRecordBytes) {
      throw corrupt("a record of " + length + " bytes, the limit is " + maxRecordBytes);
    }
    // before allocating anything of that size
    if (length > sizeBytes - offset - HEADER_BYTES - TfRecords.CRC_BYTES) {
      throw corrupt("a record of " + length + " bytes passes the end of the file at " + sizeBytes);
    }
    byte[] payload = in.readNBytes((int) length);
    byte[] footer = in.readNBytes(TfRecords.CRC_BYTES);
    if (payload.length < length || footer.length < TfRecords.CRC_BYTES) {
      throw corrupt("the file ends inside a record");
    }
    requireCrc(
        "payload",
        payload,
        payload.length,
        ByteBuffer.wrap(footer).order(ByteOrder.LITTLE_ENDIAN).getInt());
    offset += HEADER_BYTES + length + TfRecords.CRC_BYTES;
    return Optional.of(payload);
  }

  private void requireCrc(String what, byte[] bytes, int length, int expected) {
    int found = TfRecords.maskedCrc(bytes, 0, length);
    if (found != expected) {
      throw corrupt(
          String.format(
              "masked CRC-32C of the %s is %08x, the file says %08x", what, found, expected));
    }
  }

  private CorruptFileException corrupt(String what) {
    return new CorruptFileException(
        file + ": record at offset " + offset + ": " + what + "; write the file again");
  }
}
