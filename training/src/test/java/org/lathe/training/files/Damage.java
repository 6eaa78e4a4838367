package org.lathe.training.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What may become of a file that was not forced when the power went (after Lucene's tests). */
public enum Damage {
  DELETED,
  ZEROED,
  HALF_TRUNCATED,
  UNCHANGED,
  BIT_FLIPPED,
  TRUNCATED_TO_ZERO;

  /** Does it to a file, directly on the disk. */
  public void apply(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    switch (this) {
      case DELETED -> Files.delete(file);
      case ZEROED -> Files.write(file, new byte[bytes.length]);
      case HALF_TRUNCATED -> Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
      case UNCHANGED -> {}
      case BIT_FLIPPED -> {
        if (bytes.length > 0) {
          bytes[bytes.length / 2] ^= 0x10;
          Files.write(file, bytes);
        }
      }
      case TRUNCATED_TO_ZERO -> Files.write(file, new byte[0]);
    }
  }
}
