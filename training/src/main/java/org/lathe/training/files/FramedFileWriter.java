package org.lathe.training.files;

import com.google.common.base.Preconditions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Writes a {@link FramedFile} from front to back. A file is complete only after {@link #finish()};
 * closing without it leaves a file that every reader refuses. Nothing is synced here.
 */
public final class FramedFileWriter implements AutoCloseable {
  private final OutputStream out;
  private final byte[] blockBytes = new byte[FramedFile.BLOCK_BYTES];
  private final ByteBuffer block = littleEndian(blockBytes);
  private final CRC32C blocksCrc = new CRC32C();
  private long payloadBytes;
  private boolean finished;

  /**
   * Starts the file.
   *
   * @param kind what the payload is, 1 to 64 ASCII characters
   * @param version format version of this kind, at least 1
   * @param id 16 bytes that tell this file from others of its kind
   * @throws IOException when the file exists or cannot be written
   */
  public FramedFileWriter(Storage storage, Path file, String kind, int version, byte[] id)
      throws IOException {
    byte[] kindBytes = kind.getBytes(StandardCharsets.US_ASCII);
    Preconditions.checkArgument(
        kindBytes.length >= 1 && kindBytes.length <= FramedFile.MAX_KIND_BYTES,
        "kind \"%s\" must have 1 to %s characters",
        kind,
        FramedFile.MAX_KIND_BYTES);
    Preconditions.checkArgument(version >= 1, "version (%s) must be at least 1", version);
    Preconditions.checkArgument(
        id.length == FramedFile.ID_BYTES, "an id has 16 bytes, not %s", id.length);
    out = storage.create(file);
    try {
      out.write(FramedFile.header(kindBytes, version, id));
    } catch (IOException e) {
      try (out) {
        throw e;
      }
    }
  }

  /** Payload bytes written so far, which is where the next one goes. */
  public long position() {
    return payloadBytes + block.position();
  }

  public void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int part = Math.min(block.remaining(), length - done);
      block.put(bytes, offset + done, part);
      done += part;
      flushFullBlock();
    }
  }

  public void write(byte[] bytes) throws IOException {
    write(bytes, 0, bytes.length);
  }

  public void writeShort(int value) throws IOException {
    if (block.remaining() >= Short.BYTES) {
      block.putShort((short) value);
      flushFullBlock();
    } else {
      byte[] bytes = new byte[Short.BYTES];
      littleEndian(bytes).putShort((short) value);
      write(bytes);
    }
  }

  public void writeInt(int value) throws IOException {
    if (block.remaining() >= Integer.BYTES) {
      block.putInt(value);
      flushFullBlock();
    } else {
      byte[] bytes = new byte[Integer.BYTES];
      littleEndian(bytes).putInt(value);
      write(bytes);
    }
  }

  public void writeLong(long value) throws IOException {
    writeInt((int) value);
    writeInt((int) (value >>> Integer.SIZE));
  }

  /** Ends the payload and writes the footer. */
  public void finish() throws IOException {
    Preconditions.checkState(!finished, "the file is already finished");
    if (block.position() > 0) {
      writeBlock();
    }
    out.write(FramedFile.footer(payloadBytes, (int) blocksCrc.getValue()));
    out.flush();
    finished = true;
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void flushFullBlock() throws IOException {
    if (!block.hasRemaining()) {
      writeBlock();
    }
  }

  private void writeBlock() throws IOException {
    Preconditions.checkState(!finished, "the file is already finished");
    int length = block.position();
    byte[] crc = new byte[FramedFile.CRC_BYTES];
    littleEndian(crc).putInt(FramedFile.crc(blockBytes, 0, length));
    out.write(blockBytes, 0, length);
    out.write(crc);
    blocksCrc.update(crc);
    payloadBytes += length;
    block.clear();
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
