package org.lathe.training.pretrained;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.common.base.Preconditions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.TreeSet;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Writes weights as a safetensors file: F32, sorted by name, the header padded so that values are
 * aligned. Equal weights give equal bytes.
 */
public final class SafetensorsWriter {
  private static final int ALIGNMENT_BYTES = 8;
  private static final int BUFFER_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * Writes a new file; not forced, so that it belongs into a staging directory.
   *
   * @throws org.lathe.graphs.errors.FailedException when it exists or cannot be written
   */
  public static void write(Storage storage, Path file, Weights weights) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            byte[] header = header(weights);
            out.write(
                ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length)
                    .array());
            out.write(header);
            for (String name : new TreeSet<>(weights.names())) {
              writeValues(out, weights.get(name).values());
            }
          }
        });
  }

  /** JSON, then spaces up to the alignment. */
  private static byte[] header(Weights weights) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      json.writeObjectFieldStart(SafetensorsHeader.METADATA);
      // Hugging Face's loader refuses files that do not say in which convention they are
      json.writeStringField("format", "pt");
      json.writeEndObject();
      long offset = 0;
      for (String name : new TreeSet<>(weights.names())) {
        Preconditions.checkArgument(
            !name.equals(SafetensorsHeader.METADATA), "a tensor cannot be named %s", name);
        Weights.Array array = weights.get(name);
        json.writeObjectFieldStart(name);
        json.writeStringField("dtype", TensorType.F32.name());
        json.writeArrayFieldStart("shape");
        for (long size : array.shape().asArray()) {
          json.writeNumber(size);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(offset);
        offset += (long) array.values().length * Float.BYTES;
        json.writeNumber(offset);
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    int missing = Math.floorMod(-bytes.size(), ALIGNMENT_BYTES);
    bytes.write(" ".repeat(missing).getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }

  private static void writeValues(OutputStream out, float[] values) throws IOException {
    byte[] buffer = new byte[(int) Math.min(BUFFER_BYTES, (long) values.length * Float.BYTES)];
    ByteBuffer view = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN);
    int perBuffer = BUFFER_BYTES / Float.BYTES;
    for (int at = 0; at < values.length; at += perBuffer) {
      int count = Math.min(perBuffer, values.length - at);
      view.asFloatBuffer().put(values, at, count);
      out.write(buffer, 0, count * Float.BYTES);
    }
  }
}
