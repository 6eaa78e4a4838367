package org.lathe.training.pretrained;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

/**
 * A safetensors file ({@link SafetensorsHeader} has the rules). F32, F16, BF16 and F64 read as
 * float32, I64 and I32 as long on request; other types are listed and not read.
 */
public final class SafetensorsReader implements TensorSource {
  private final Storage storage;
  private final Path file;
  private final Map<String, SafetensorsHeader.Entry> entries;

  private SafetensorsReader(
      Storage storage, Path file, Map<String, SafetensorsHeader.Entry> entries) {
    this.storage = storage;
    this.file = file;
    this.entries = entries;
  }

  /**
   * Reads and checks the header.
   *
   * @throws CorruptFileException when the file breaks a rule of the format or passes a limit
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static SafetensorsReader open(Storage storage, Path file) {
    return open(storage, file, SafetensorsLimits.DEFAULT);
  }

  static SafetensorsReader open(Storage storage, Path file, SafetensorsLimits limits) {
    return new SafetensorsReader(storage, file, SafetensorsHeader.read(storage, file, limits));
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  @Override
  public Shape shape(String name) {
    return Shape.of(entry(name).shape());
  }

  @Override
  public Weights.Array read(String name) {
    SafetensorsHeader.Entry entry = entry(name);
    return new Weights.Array(
        Shape.of(entry.shape()),
        FloatValues.read(storage, file, name, entry.position(), entry.type(), entry.numValues()));
  }

  /**
   * Values of a tensor of type I64 or I32.
   *
   * @throws CorruptFileException when it has another type or is too long
   */
  public long[] readIntegers(String name) {
    SafetensorsHeader.Entry entry = entry(name);
    boolean wide = entry.type() == TensorType.I64;
    if ((!wide && entry.type() != TensorType.I32) || entry.sizeBytes() > Integer.MAX_VALUE) {
      throw new CorruptFileException(
          "%s: tensor '%s' has type %s and %d bytes, expected I64 or I32 and at most %d bytes."
              .formatted(file, name, entry.type(), entry.sizeBytes(), Integer.MAX_VALUE));
    }
    long[] values = new long[(int) entry.numValues()];
    if (values.length == 0) {
      return values;
    }
    try {
      ByteBuffer bytes =
          storage.map(file, entry.position(), entry.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < values.length; i++) {
        values[i] = wide ? bytes.getLong() : bytes.getInt();
      }
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
    return values;
  }

  @Override
  public String place() {
    return file.toString();
  }

  private SafetensorsHeader.Entry entry(String name) {
    SafetensorsHeader.Entry entry = entries.get(name);
    if (entry == null) {
      throw new CorruptFileException(
          "%s holds no tensor '%s'; it holds %d others.".formatted(file, name, entries.size()));
    }
    return entry;
  }
}
