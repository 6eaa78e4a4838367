package org.lathe.training.pretrained;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.datastore.Float16;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** Little-endian numbers of a file as float32 arrays, mapped piece by piece. */
final class FloatValues {
  /** Longest array that every JVM can make. */
  static final long MAX_ARRAY_LENGTH = Integer.MAX_VALUE - 8;

  /** Bytes mapped at a time; a multiple of every element's size. */
  private static final int PIECE_BYTES = 64 << 20;

  private static final int BFLOAT16_DROPPED_BITS = 16;

  private FloatValues() {}

  /**
   * The caller has checked that the values lie inside the file, so that the array is at most a few
   * times as large as what the file holds.
   *
   * @param name of the tensor, for messages
   * @param position of the first value in the file
   * @throws CorruptFileException when the type is not a float that is read, or the array too long
   */
  static float[] read(
      Storage storage, Path file, String name, long position, TensorType type, long numValues) {
    if (!type.readsAsFloat()) {
      throw new CorruptFileException(
          "%s: tensor '%s' has type %s, expected F32, F16, BF16 or F64; convert the checkpoint to float32 first."
              .formatted(file, name, type));
    }
    if (numValues > MAX_ARRAY_LENGTH) {
      throw new CorruptFileException(
          "%s: tensor '%s' has %d values, at most %d fit one array; this model is too large for Lathe."
              .formatted(file, name, numValues, MAX_ARRAY_LENGTH));
    }
    float[] values = new float[(int) numValues];
    int perPiece = PIECE_BYTES / type.sizeBytes();
    for (int at = 0; at < values.length; at += perPiece) {
      int count = Math.min(perPiece, values.length - at);
      long start = position + (long) at * type.sizeBytes();
      ByteBuffer piece;
      try {
        piece = storage.map(file, start, (long) count * type.sizeBytes());
      } catch (IOException e) {
        throw IoGuard.failed(storage, "read", file, e);
      }
      decode(piece.order(ByteOrder.LITTLE_ENDIAN), type, values, at, count);
    }
    return values;
  }

  private static void decode(ByteBuffer bytes, TensorType type, float[] values, int at, int count) {
    switch (type) {
      case F32 -> bytes.asFloatBuffer().get(values, at, count);
      case F64 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = (float) bytes.getDouble();
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = Float16.toFloat(bytes.getShort());
        }
      }
      case BF16 -> {
        // the upper half of a float32
        for (int i = 0; i < count; i++) {
          values[at + i] = Float.intBitsToFloat(bytes.getShort() << BFLOAT16_DROPPED_BITS);
        }
      }
      default -> throw new IllegalStateException("no float: " + type);
    }
  }
}
