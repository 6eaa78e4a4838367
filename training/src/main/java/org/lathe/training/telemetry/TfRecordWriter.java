package org.lathe.training.telemetry;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** Writes a new TFRecord file: length, masked CRC-32C, payload, masked CRC-32C a record. */
public final class TfRecordWriter implements AutoCloseable {
  private final Storage storage;
  private final Path file;
  private final OutputStream out;

  /**
   * @throws org.lathe.graphs.errors.FailedException when the file exists or the disk fails
   */
  public TfRecordWriter(Storage storage, Path file) {
    this.storage = storage;
    this.file = file;
    this.out = IoGuard.call(storage, "create", file, () -> storage.create(file));
  }

  /**
   * Appends a record.
   *
   * @throws org.lathe.graphs.errors.FailedException when the disk is full or fails
   */
  public void write(byte[] payload) {
    ByteBuffer record =
        ByteBuffer.allocate(
                TfRecords.LENGTH_BYTES + TfRecords.CRC_BYTES + payload.length + TfRecords.CRC_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(payload.length);
    record.putInt(TfRecords.maskedCrc(record.array(), 0, TfRecords.LENGTH_BYTES));
    record.put(payload);
    record.putInt(TfRecords.maskedCrc(payload, 0, payload.length));
    IoGuard.run(storage, "write", file, () -> out.write(record.array()));
  }

  public void flush() {
    IoGuard.run(storage, "write", file, out::flush);
  }

  @Override
  public void close() {
    IoGuard.run(storage, "close", file, out::close);
  }
}
