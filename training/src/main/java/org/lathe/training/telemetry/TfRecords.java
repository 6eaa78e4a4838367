package org.lathe.training.telemetry;

import java.util.zip.CRC32C;

/**
 * The TFRecord format: per record an 8-byte little-endian length, the masked CRC-32C of these 8
 * bytes, the payload, and its masked CRC-32C (tensorflow/core/lib/io/record_writer.h).
 */
public final class TfRecords {
  static final int LENGTH_BYTES = 8;
  static final int CRC_BYTES = 4;

  /** tensorflow/core/lib/hash/crc32c.h: a checksum of data that holds checksums is weak. */
  private static final int MASK_DELTA = 0xa282ead8;

  private TfRecords() {}

  /** CRC-32C, rotated right by 15 bits, plus 0xa282ead8. */
  public static int maskedCrc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }
}
