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
import static org.lathe.training.pretrained.OnnxFiles.value;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class OnnxReaderTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;
  private static final long[] MATRIX = {2, 3};
  private static final float[] SIX = {1, 2, 3, 4, 5, 6};

  @TempDir Path directory;

  @Test
  void namesOfMatricesComeFromTheBiasOrThePathAndTellHowTheyLie() throws IOException {
    List<byte[]> nodes =
        List.of(
            node("MatMul", "/a/query/MatMul", List.of("x", "onnx::MatMul_1"), List.of("p1")),
            node("Add", "", List.of("layer.0.query.bias", "p1"), List.of("q")),
            node("MatMul", "/b/key/MatMul", List.of("q", "onnx::MatMul_2"), List.of("k")),
            node("MatMul", "", List.of("k", "onnx::MatMul_3"), List.of("/c.1/up/MatMul_output_0")),
            node("Transpose", "", List.of("named.weight"), List.of("t"), number("perm", 1, 0)),
            node("MatMul", "/d/MatMul", List.of("x", "t"), List.of("d")),
            node(
                "Gemm",
                "/pooler/dense/Gemm",
                List.of("x", "w4", "pool.bias"),
                List.of("e"),
                number("transB", 1)),
            node("Gemm", "/f/g/Gemm", List.of("x", "w5"), List.of("f")),
            node("Identity", "", List.of("w6"), List.of("i")),
            node("MatMul", "/h/MatMul", List.of("x", "i"), List.of("h")),
            node("MatMul", "/scores/MatMul", List.of("q", "k"), List.of("s")));
    List<byte[]> tensors =
        List.of(
            floats("onnx::MatMul_1", MATRIX, SIX),
            floats("layer.0.query.bias", new long[] {3}, 7, 8, 9),
            floats("onnx::MatMul_2", MATRIX, SIX),
            floats("onnx::MatMul_3", MATRIX, SIX),
            floats("named.weight", MATRIX, SIX),
            floats("w4", MATRIX, SIX),
            floats("pool.bias", new long[] {2}, 1, 2),
            floats("w5", MATRIX, SIX),
            floats("w6", MATRIX, SIX));
    OnnxReader reader = open(model(graph(nodes, tensors)));
    assertThat(reader.names())
        .containsExactlyInAnyOrder(
            "layer.0.query.weight",
            "layer.0.query.bias",
            "b.key.weight",
            "c.1.up.weight",
            "named.weight",
            "pool.weight",
            "pool.bias",
            "f.g.weight",
            "h.weight");
    assertThat(reader.read("layer.0.query.weight").values()).containsExactly(SIX);
    assertThat(reader.read("layer.0.query.bias").values()).containsExactly(7, 8, 9);
    assertThat(reader.shape("pool.weight").asArray()).containsExactly(2, 3);
    assertThat(reader.names().stream().filter(reader::liesInOut))
        .containsExactlyInAnyOrder(
            "layer.0.query.weight", "b.key.weight", "c.1.up.weight", "f.g.weight", "h.weight");
  }

  @Test
  void valuesComeInAllTheirEncodings() throws IOException {
    byte[] packed =
        message(
            out -> {
              out.writeByteArray(1, new byte[] {2}); // packed dims
              out.writeInt32(2, 1);
              out.writeString(8, "packed");
              out.writeByteArray(4, raw(1.5f, 2.5f));
            });
    byte[] doubles =
        message(
            out -> {
              out.writeInt32(2, 11);
              out.writeString(8, "doubles");
              out.writeByteArray(10, raw(Double.doubleToRawLongBits(-0.5)));
            });
    byte[] constant =
        node("Constant", "c", List.of(), List.of("constant"), value(floats("", new long[] {1}, 4)));
    OnnxReader reader =
        open(
            model(
                graph(
                    List.of(constant),
                    List.of(
                        packed,
                        doubles,
                        tensor("half", 10, new long[] {1}, new byte[] {0, 0x3C}),
                        tensor("brain", 16, new long[] {1}, new byte[] {(byte) 0x80, 0x3F}),
                        tensor("ids", 7, new long[] {1}, raw(3L))))));
    assertThat(reader.read("packed").values()).containsExactly(1.5f, 2.5f);
    assertThat(reader.read("doubles").values()).containsExactly(-0.5f);
    assertThat(reader.read("half").values()).containsExactly(1f);
    assertThat(reader.read("brain").values()).containsExactly(1f);
    assertThat(reader.read("constant").values()).containsExactly(4f);
    assertThatThrownBy(() -> reader.read("ids"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("I64");
  }

  @Test
  void theGraphTellsHeadsEpsilonAndActivation() throws IOException {
    OnnxHints hints = open(model(graph(attention(4, 2), List.of()))).hints();
    assertThat(hints.numHeads(8)).hasValue(4);
    assertThat(hints.numHeads(10)).isEmpty();
    assertThat(hints.normEpsilon()).hasValue(1e-12);
    assertThat(hints.activation()).isEqualTo("gelu");
    List<byte[]> both = new ArrayList<>(attention(4, 2));
    both.add(
        node(
            "Constant",
            "",
            List.of(),
            List.of("other"),
            value(tensor("", 7, new long[] {4}, raw(0L, 0L, 2L, 4L)))));
    both.add(node("Reshape", "", List.of("x", "other"), List.of("r2")));
    assertThat(open(model(graph(both, List.of()))).hints().numHeads(8)).isEmpty();
    OnnxHints silent = open(model(graph(List.of(), List.of()))).hints();
    assertThat(silent.numHeads(8)).isEmpty();
    assertThat(silent.normEpsilon()).isEmpty();
    assertThat(silent.activation()).isNull();
  }

  /** A reshape to heads of this size, a norm and a GELU. */
  static List<byte[]> attention(long numHeads, long headSize) {
    return List.of(
        node(
            "Constant",
            "",
            List.of(),
            List.of("n"),
            value(tensor("", 7, new long[] {1}, raw(numHeads)))),
        node("Constant", "", List.of(), List.of("h"), number("value_int", headSize)),
        node("Concat", "", List.of("b", "t", "n", "h"), List.of("shape"), number("axis", 0)),
        node("Reshape", "", List.of("x", "shape"), List.of("r")),
        node("Constant", "", List.of(), List.of("eps"), value(floats("", new long[0], 1e-12f))),
        node("Add", "", List.of("v", "eps"), List.of("sum")),
        node("Sqrt", "", List.of("sum"), List.of("root")),
        node("Erf", "", List.of("y"), List.of("erf")));
  }

  private OnnxReader open(byte[] bytes) throws IOException {
    return OnnxReader.open(DISK, file(bytes));
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(Files.createTempFile(directory, "case", ".onnx"), bytes);
  }
}
