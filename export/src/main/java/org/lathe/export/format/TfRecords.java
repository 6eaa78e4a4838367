package org.lathe.export.format;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * TFRecord framing: length (8 bytes, little-endian), its masked CRC32C, the payload, its masked
 * CRC32C.
 */
final class TfRecords {
  /** Bytes around a payload. */
  private static final int HEADER_BYTES = 12;

  private static final int FOOTER_BYTES = 4;

  /** TensorFlow's mask, so that a checksum of data that holds checksums stays useful. */
  private static final int CRC_MASK_DELTA = 0xa282ead8;

  private TfRecords() {}

  static byte[] frame(List<byte[]> payloads) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] payload : payloads) {
      byte[] length =
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(payload.length)
              .array();
      out.writeBytes(length);
      out.writeBytes(maskedCrc(length));
      out.writeBytes(payload);
      out.writeBytes(maskedCrc(payload));
    }
    return out.toByteArray();
  }

  /**
   * @throws CorruptFileException naming the offset of the damaged record
   */
  static List<byte[]> unframe(byte[] file, int maxRecords, String source) {
    List<byte[]> payloads = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      int offset = in.position();
      if (payloads.size() == maxRecords) {
        throw corrupt(source, offset, "more than " + maxRecords + " records");
      }
      if (in.remaining() < HEADER_BYTES) {
        throw corrupt(source, offset, "a record header of 12 bytes is cut short");
      }
      byte[] length = new byte[Long.BYTES];
      in.get(length);
      requireCrc(in, length, source, offset, "length");
      long size = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
      if (size < 0 || size > in.remaining() - FOOTER_BYTES) {
        throw corrupt(source, offset, "a record claims " + size + " bytes, more than follow");
      }
      byte[] payload = new byte[(int) size];
      in.get(payload);
      requireCrc(in, payload, source, offset, "payload");
      payloads.add(payload);
    }
    return payloads;
  }

  private static void requireCrc(
      ByteBuffer in, byte[] data, String source, int offset, String what) {
    byte[] found = new byte[Integer.BYTES];
    in.get(found);
    if (!Arrays.equals(found, maskedCrc(data))) {
      throw corrupt(source, offset, "the checksum of a record's " + what + " does not match");
    }
  }

  private static byte[] maskedCrc(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, data.length);
    int value = (int) crc.getValue();
    int masked = Integer.rotateRight(value, 15) + CRC_MASK_DELTA;
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(masked).array();
  }

  private static CorruptFileException corrupt(String source, int offset, String what) {
    return new CorruptFileException(
        source + ", offset " + offset + ": " + what + ". Export the model again.");
  }
}
