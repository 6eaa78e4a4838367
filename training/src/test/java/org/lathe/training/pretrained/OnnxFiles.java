package org.lathe.training.pretrained;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Bytes of ONNX messages, sound and false ones, written field by field. */
final class OnnxFiles {
  private OnnxFiles() {}

  /** Writes fields. */
  interface Body {
    void write(CodedOutputStream out) throws IOException;
  }

  static byte[] message(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      body.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** ir_version, producer, graph. */
  static byte[] model(byte[] graph) {
    return message(
        out -> {
          out.writeInt64(1, 7);
          out.writeString(2, "test");
          out.writeByteArray(7, graph);
        });
  }

  static byte[] graph(List<byte[]> nodes, List<byte[]> initializers) {
    return message(
        out -> {
          for (byte[] node : nodes) {
            out.writeByteArray(1, node);
          }
          out.writeString(2, "graph");
          for (byte[] initializer : initializers) {
            out.writeByteArray(5, initializer);
          }
        });
  }

  static byte[] node(
      String op, String name, List<String> in, List<String> out, byte[]... attributes) {
    return message(
        to -> {
          for (String input : in) {
            to.writeString(1, input);
          }
          for (String output : out) {
            to.writeString(2, output);
          }
          to.writeString(3, name);
          to.writeString(4, op);
          for (byte[] attribute : attributes) {
            to.writeByteArray(5, attribute);
          }
        });
  }

  static byte[] number(String name, long... values) {
    return message(
        out -> {
          out.writeString(1, name);
          for (long value : values) {
            out.writeInt64(values.length == 1 ? 3 : 8, value);
          }
        });
  }

  static byte[] value(byte[] tensor) {
    return message(
        out -> {
          out.writeString(1, "value");
          out.writeByteArray(5, tensor);
        });
  }

  /** A float tensor with raw_data. */
  static byte[] floats(String name, long[] shape, float... values) {
    return tensor(name, 1, shape, raw(values));
  }

  static byte[] tensor(String name, int type, long[] shape, byte[] raw) {
    return message(
        out -> {
          for (long size : shape) {
            out.writeInt64(1, size);
          }
          out.writeInt32(2, type);
          out.writeString(8, name);
          out.writeByteArray(9, raw);
        });
  }

  static byte[] raw(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  static byte[] raw(long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return bytes.array();
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
