package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.training.pretrained.OnnxFiles.floats;
import static org.lathe.training.pretrained.OnnxFiles.graph;
import static org.lathe.training.pretrained.OnnxFiles.message;
import static org.lathe.training.pretrained.OnnxFiles.model;
import static org.lathe.training.pretrained.OnnxFiles.node;
import static org.lathe.training.pretrained.OnnxFiles.number;
import static org.lathe.training.pretrained.OnnxFiles.raw;
import static org.lathe.training.pretrained.OnnxFiles.tensor;

import com.google.common.primitives.Bytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.LocalStorage;

/** Files that somebody made to do harm, or that were damaged; see {@link OnnxReaderTest}. */
class OnnxReaderHostileTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;
  private static final long[] MATRIX = {2, 3};
  private static final float[] SIX = {1, 2, 3, 4, 5, 6};

  @TempDir Path directory;

  @Test
  void hostileFilesAreRefused() throws IOException {
    byte[] sound = model(graph(List.of(), List.of(floats("w", MATRIX, SIX))));
    refused("no graph", new byte[0]);
    refused("no valid protobuf", OnnxFiles.text("\n\nwords"));
    refused(
        "no valid protobuf", OnnxFiles.text("PK\3\4 a zip file instead, long enough to be one"));
    for (int length = sound.length - 1; length > 12; length -= 7) {
      refused("no valid protobuf", Arrays.copyOf(sound, length));
    }
    // a length of 2^31 - 1, of -1, and of more bytes than a varint has
    refused("no valid protobuf", new byte[] {0x3A, -1, -1, -1, -1, 7});
    refused("no valid protobuf", new byte[] {0x3A, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1});
    refused("no valid protobuf", new byte[] {0x3A, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1});
    refused("holds two graphs", Bytes.concat(sound, sound));
    refused("group", new byte[] {0x0B, 0x0C});
    byte[] groups = new byte[100_000];
    Arrays.fill(groups, (byte) 0x0B);
    refused("group", groups);
    refused("field 7 at byte", new byte[] {0x38, 1});
    refusedTensor("size -1", tensor("w", 1, new long[] {-1}, new byte[0]));
    refusedTensor(
        "beyond all numbers",
        tensor("w", 1, new long[] {4194305, 4194305, 211106198978564L}, new byte[4]));
    refusedTensor("beyond all numbers", tensor("w", 1, new long[] {1L << 61, 1}, new byte[4]));
    refusedTensor("needs 24 bytes, found 20", tensor("w", 1, MATRIX, new byte[20]));
    refusedTensor(
        "needs 1152921504606846976 bytes", tensor("w", 1, new long[] {1L << 58}, new byte[4]));
    refusedTensor("unknown type 0", tensor("w", 0, MATRIX, new byte[24]));
    refusedTensor("unknown type 99", tensor("w", 99, MATRIX, new byte[24]));
    refusedTensor("unknown type -1", tensor("w", -1, MATRIX, new byte[24]));
    refusedTensor("without a name", tensor("", 1, MATRIX, new byte[24]));
    refusedTensor(
        "two kinds",
        Bytes.concat(floats("w", MATRIX, SIX), message(out -> out.writeByteArray(4, raw(SIX)))));
    refusedTensor(
        "two kinds",
        Bytes.concat(
            tensor("w", 7, MATRIX, new byte[48]), message(out -> out.writeByteArray(4, raw(SIX)))));
    refusedTensor(
        "several pieces",
        Bytes.concat(floats("w", MATRIX, SIX), message(out -> out.writeByteArray(9, raw(SIX)))));
    refusedTensor(
        "several pieces",
        message(
            out -> {
              out.writeInt32(2, 1);
              out.writeByteArray(4, raw(1f));
              out.writeByteArray(4, raw(1f));
            }));
    refusedTensor("has wire type 5", message(out -> out.writeFloat(4, 1)));
    refusedTensor(
        "external data",
        message(
            out -> {
              out.writeInt32(2, 1);
              out.writeString(8, "w");
              out.writeByteArray(
                  13,
                  message(
                      entry -> {
                        entry.writeString(1, "location");
                        entry.writeString(2, "../../etc/passwd");
                      }));
            }));
    refusedTensor("external data", message(out -> out.writeInt32(14, 1)));
    refusedTensor(
        "not UTF-8", message(out -> out.writeByteArray(8, new byte[] {(byte) 0xC0, (byte) 0x80})));
    refused(
        "twice",
        model(graph(List.of(), List.of(floats("w", MATRIX, SIX), floats("w", MATRIX, SIX)))));
    refused("sparse", model(message(out -> out.writeByteArray(15, new byte[0]))));
    refusedNode(
        "a graph inside",
        node("If", "", List.of(), List.of(), message(out -> out.writeByteArray(6, nested(5000)))));
    refusedNode("quantized", node("MatMulInteger", "", List.of("a", "b"), List.of("c")));
    refused(
        "two of its nodes make 'y'",
        model(
            graph(
                List.of(
                    node("Relu", "", List.of("x"), List.of("y")),
                    node("Relu", "", List.of("x"), List.of("y"))),
                List.of())));
    refused(
        "must both be 'a.weight'",
        model(
            graph(
                List.of(
                    node("MatMul", "/a/MatMul", List.of("x", "v"), List.of("y")),
                    node("MatMul", "/a/MatMul", List.of("x", "w"), List.of("z"))),
                List.of(floats("v", MATRIX, SIX), floats("w", MATRIX, SIX)))));
    refusedNode("scales", node("Gemm", "", List.of("x", "w"), List.of("y"), number("transA", 1)));
  }

  @Test
  void chainsInACircleEnd() throws IOException {
    OnnxReader reader =
        open(
            model(
                graph(
                    List.of(
                        node("Identity", "", List.of("b"), List.of("a")),
                        node("Identity", "", List.of("a"), List.of("b")),
                        node("MatMul", "", List.of("x", "a"), List.of("y"))),
                    List.of())));
    assertThat(reader.names()).isEmpty();
  }

  @Test
  void limitsHoldAtTheLimitAndNotBeyond() throws IOException {
    assertThat(OnnxLimits.DEFAULT).isEqualTo(new OnnxLimits(1 << 16, 1 << 16, 1 << 18, 8, 4096));
    OnnxLimits small = new OnnxLimits(2, 2, 4, 2, 5);
    byte[] node = node("Relu", "", List.of("x"), List.of(""));
    byte[] w = floats("w", MATRIX, SIX);
    byte[] v = floats("vvvvv", new long[] {1}, 1);
    byte[] atLimits = model(graph(List.of(node, node), List.of(w, v)));
    OnnxReader.open(DISK, file(atLimits), small);
    refused("limit of 2 nodes", model(graph(List.of(node, node, node), List.of())), small);
    refused(
        "limit of 2 tensors",
        model(graph(List.of(), List.of(w, v, floats("u", new long[0], 1)))),
        small);
    refused(
        "limit of 4 edges",
        model(graph(List.of(node, node("Relu", "", List.of("x", "y"), List.of("z"))), List.of())),
        small);
    refused(
        "limit of 2 dimensions",
        model(graph(List.of(), List.of(floats("w", new long[] {1, 1, 1}, 1)))),
        small);
    refused(
        "the limit is 5",
        model(graph(List.of(), List.of(floats("wwwwww", new long[0], 1)))),
        small);
  }

  @Test
  void claimedSizesAllocateNothing() throws IOException {
    byte[] large =
        model(graph(List.of(), List.of(tensor("w", 1, new long[] {1L << 58}, new byte[4]))));
    byte[] text = {0x3A, 6, 0x12, -1, -1, -1, -1, 7};
    byte[] name = model(graph(List.of(message(out -> out.writeRawBytes(text, 2, 6))), List.of()));
    byte[] unbacked =
        model(
            graph(
                List.of(),
                List.of(
                    message(
                        out -> {
                          out.writeInt64(1, 1L << 40);
                          out.writeInt32(2, 1);
                          out.writeString(8, "w");
                        }))));
    OnnxReader empty = open(unbacked);
    long before = SafetensorsReaderTest.allocatedBytes();
    for (int i = 0; i < 50; i++) {
      refused("needs", large);
      refused("no valid protobuf", text);
      assertThatThrownBy(() -> open(name)).isInstanceOf(CorruptFileException.class);
      assertThatThrownBy(() -> empty.read("w"))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("has no float values");
    }
    assertThat(SafetensorsReaderTest.allocatedBytes() - before).isLessThan(150 * (1 << 20));
  }

  @Test
  void anyDamageIsRefusedOrHarmless() throws IOException {
    List<byte[]> nodes = new ArrayList<>(OnnxReaderTest.attention(2, 4));
    nodes.add(node("MatMul", "/a/MatMul", List.of("x", "w"), List.of("y")));
    nodes.add(node("Add", "", List.of("y", "b.bias"), List.of("z")));
    byte[] sound =
        model(
            graph(
                nodes,
                List.of(floats("w", MATRIX, SIX), floats("b.bias", new long[] {3}, 1, 2, 3))));
    SeededCases.run(
        1500,
        random -> {
          byte[] bytes = SafetensorsReaderTest.damaged(sound, random);
          try {
            OnnxReader reader = open(bytes);
            reader.hints().numHeads(8);
            reader.hints().normEpsilon();
            reader.hints().activation();
            for (String name : reader.names()) {
              reader.shape(name);
              reader.read(name);
            }
          } catch (LatheException e) {
            assertThat(e.exitCode()).isEqualTo(3);
          }
        });
  }

  /** A graph with a node with an attribute with a graph, and so on. */
  private static byte[] nested(int depth) {
    byte[] inner = new byte[0];
    for (int i = 0; i < depth; i++) {
      byte[] content = inner;
      byte[] attribute = message(out -> out.writeByteArray(6, content));
      inner = message(out -> out.writeByteArray(1, message(in -> in.writeByteArray(5, attribute))));
    }
    return inner;
  }

  private void refusedTensor(String reason, byte[] tensor) throws IOException {
    refused(reason, model(graph(List.of(), List.of(tensor))));
  }

  private void refusedNode(String reason, byte[] node) throws IOException {
    refused(reason, model(graph(List.of(node), List.of(floats("w", MATRIX, SIX)))));
  }

  private void refused(String reason, byte[] bytes) throws IOException {
    refused(reason, bytes, OnnxLimits.DEFAULT);
  }

  private void refused(String reason, byte[] bytes, OnnxLimits limits) throws IOException {
    Path file = file(bytes);
    assertThatThrownBy(() -> OnnxReader.open(DISK, file, limits))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(reason)
        .hasMessageStartingWith(file.toString());
  }

  private OnnxReader open(byte[] bytes) throws IOException {
    return OnnxReader.open(DISK, file(bytes));
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(Files.createTempFile(directory, "case", ".onnx"), bytes);
  }
}
