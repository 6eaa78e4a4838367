package org.lathe.training.files;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The frame around every binary file of Lathe, so that damage is noticed and named.
 *
 * <pre>
 * header   "LATHE" | kind length u8 | kind, ASCII | format version i32 | id, 16 bytes | CRC32C of these
 * payload  blocks of 1 MiB (the last one shorter), each followed by its CRC32C
 * footer   "LATHEEND" | payload length i64 | CRC32C of all block CRCs | CRC32C of these
 * </pre>
 *
 * All numbers are little-endian. Write with {@link FramedFileWriter}, read with {@link
 * FramedFileReader}.
 */
public final class FramedFile {
  /** Payload bytes per block; a multiple of 8, so that aligned numbers never span two blocks. */
  public static final int BLOCK_BYTES = 1 << 20;

  /** Length of a file's id. */
  public static final int ID_BYTES = 16;

  static final int CRC_BYTES = 4;
  static final int FOOTER_BYTES = 24;
  static final byte[] MAGIC = "LATHE".getBytes(StandardCharsets.US_ASCII);
  static final byte[] END_MAGIC = "LATHEEND".getBytes(StandardCharsets.US_ASCII);
  static final int MAX_KIND_BYTES = 64;

  private FramedFile() {}

  static int headerBytes(int kindBytes) {
    return MAGIC.length + 1 + kindBytes + Integer.BYTES + ID_BYTES + CRC_BYTES;
  }

  static byte[] header(byte[] kind, int version, byte[] id) {
    byte[] header = new byte[headerBytes(kind.length)];
    ByteBuffer buffer = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(MAGIC).put((byte) kind.length).put(kind).putInt(version).put(id);
    buffer.putInt(crc(header, 0, buffer.position()));
    return header;
  }

  static byte[] footer(long payloadBytes, int blocksCrc) {
    byte[] footer = new byte[FOOTER_BYTES];
    ByteBuffer buffer = ByteBuffer.wrap(footer).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(END_MAGIC).putLong(payloadBytes).putInt(blocksCrc);
    buffer.putInt(crc(footer, 0, buffer.position()));
    return footer;
  }

  static long numBlocks(long payloadBytes) {
    return (payloadBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
  }

  static int crc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }
}
