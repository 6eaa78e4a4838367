package org.lathe.training.pretrained;

import com.google.common.primitives.Longs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;

/**
 * Parses an ONNX file (onnx.proto of the ONNX project; field numbers below). Values stay in the
 * file. Refused: external data, sparse tensors, subgraphs, anything whose size does not fit.
 */
final class OnnxParser {
  /** Attributes that are kept; the rest of a node's meaning is not asked for. */
  private static final Set<String> ATTRIBUTES =
      Set.of(
          "transA",
          "transB",
          "alpha",
          "beta",
          "perm",
          "epsilon",
          "value",
          "value_int",
          "value_ints");

  /** Longest list of whole numbers that is kept: a shape or a permutation. */
  private static final int MAX_KEPT_INTEGERS = 8;

  /** TensorProto.DataType from 1 on; null has values that are not read. */
  private static final @Nullable TensorType[] TYPES = {
    TensorType.F32,
    TensorType.U8,
    TensorType.I8,
    TensorType.U16,
    TensorType.I16,
    TensorType.I32,
    TensorType.I64,
    null, // strings
    TensorType.BOOL,
    TensorType.F16,
    TensorType.F64,
    TensorType.U32,
    TensorType.U64,
    null, // complex
    null,
    TensorType.BF16,
    TensorType.F8_E4M3,
    null, // other floats of 8 bits
    TensorType.F8_E5M2,
    null
  };

  private static final int EXTERNAL = 1;

  private final ProtoWalker walker;
  private final OnnxLimits limits;
  private final OnnxGraph graph = new OnnxGraph();
  private final Set<String> outputs = new HashSet<>();
  private boolean graphSeen;
  private int numEdges;

  private OnnxParser(ProtoWalker walker, OnnxLimits limits) {
    this.walker = walker;
    this.limits = limits;
  }

  /**
   * @throws CorruptFileException when the file is no such message, or passes a limit
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static OnnxGraph parse(Storage storage, Path file, OnnxLimits limits) {
    OnnxParser parser = new OnnxParser(ProtoWalker.of(storage, file), limits);
    parser.walker.walk(parser::model);
    if (!parser.graphSeen) {
      throw parser.walker.corrupt("is no ONNX model: it holds no graph");
    }
    parser.graph.link();
    return parser.graph;
  }

  private void model(int number) throws IOException {
    if (number == 7) { // graph
      if (graphSeen) {
        throw walker.corrupt("holds two graphs");
      }
      graphSeen = true;
      walker.message(this::graph);
    } else {
      walker.skip();
    }
  }

  private void graph(int number) throws IOException {
    switch (number) {
      case 1 -> node();
      case 5 -> add(tensor(null));
      case 15 -> throw walker.corrupt("holds sparse tensors, which Lathe does not read");
      default -> walker.skip();
    }
  }

  /** NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. */
  private void node() throws IOException {
    if (graph.nodes.size() == limits.nodes()) {
      throw walker.corrupt("holds more than the limit of " + limits.nodes() + " nodes");
    }
    String[] texts = {"", ""};
    List<String> inputs = new ArrayList<>(3);
    List<String> results = new ArrayList<>(1);
    Map<String, List<Long>> numbers = new HashMap<>(2);
    Map<String, Float> reals = new HashMap<>(2);
    List<OnnxGraph.Tensor> values = new ArrayList<>(0);
    walker.message(
        field -> {
          switch (field) {
            case 1 -> inputs.add(edge());
            case 2 -> results.add(output());
            case 3 -> texts[0] = walker.text(limits.nameBytes());
            case 4 -> texts[1] = walker.text(limits.nameBytes());
            case 5 -> attribute(numbers, reals, values);
            default -> walker.skip();
          }
        });
    OnnxGraph.Node node = new OnnxGraph.Node(texts[1], texts[0], inputs, results, numbers, reals);
    if (node.op().equals("Constant") && results.size() == 1) {
      constant(node, values);
    } else {
      graph.nodes.add(node);
    }
  }

  private String edge() throws IOException {
    if (++numEdges > limits.edges()) {
      throw walker.corrupt("its nodes have more than the limit of " + limits.edges() + " edges");
    }
    return walker.text(limits.nameBytes());
  }

  private String output() throws IOException {
    String output = edge();
    if (!output.isEmpty() && !outputs.add(output)) {
      throw walker.corrupt("two of its nodes make '" + output + "'");
    }
    return output;
  }

  /** A Constant with a tensor, or with whole numbers, is a tensor under its output's name. */
  private void constant(OnnxGraph.Node node, List<OnnxGraph.Tensor> values) {
    String name = node.outputs().get(0);
    List<Long> integers =
        node.numbers()
            .getOrDefault("value_ints", node.numbers().getOrDefault("value_int", List.of()));
    if (values.size() == 1) {
      OnnxGraph.Tensor value = values.get(0);
      add(
          new OnnxGraph.Tensor(
              name,
              value.type(),
              value.shape(),
              value.numValues(),
              value.values(),
              value.integers()));
    } else if (!integers.isEmpty()) {
      long[] shape =
          node.numbers().containsKey("value_ints") ? new long[] {integers.size()} : new long[0];
      add(new OnnxGraph.Tensor(name, TensorType.I64, shape, integers.size(), null, integers));
    }
  }

  /** AttributeProto: name 1, f 2, i 3, t 5, g 6, ints 8, graphs 11. */
  private void attribute(
      Map<String, List<Long>> numbers, Map<String, Float> reals, List<OnnxGraph.Tensor> values)
      throws IOException {
    String[] name = {""};
    Float[] real = {null};
    List<Long> integers = new ArrayList<>(1);
    walker.message(
        field -> {
          switch (field) {
            case 1 -> name[0] = walker.text(limits.nameBytes());
            case 2 -> real[0] = walker.float32();
            case 3, 8 -> walker.varints(number -> keep(integers, number));
            case 5 -> values.add(tensor("of a constant"));
            case 6, 11 ->
                throw walker.corrupt(
                    "holds a graph inside its graph (If, Loop or Scan), which no encoder needs");
            default -> walker.skip();
          }
        });
    if (ATTRIBUTES.contains(name[0])) {
      numbers.put(name[0], integers);
      if (real[0] != null) {
        reals.put(name[0], real[0]);
      }
    }
  }

  private static void keep(List<Long> integers, long number) {
    if (integers.size() < MAX_KEPT_INTEGERS) {
      integers.add(number);
    }
  }

  private void add(OnnxGraph.Tensor tensor) {
    if (graph.tensors.size() == limits.tensors()) {
      throw walker.corrupt("holds more than the limit of " + limits.tensors() + " tensors");
    }
    if (tensor.name().isEmpty()) {
      throw walker.corrupt("holds an initializer without a name");
    }
    if (graph.tensors.put(tensor.name(), tensor) != null) {
      throw walker.corrupt("holds the tensor '" + tensor.name() + "' twice");
    }
  }

  /**
   * TensorProto: dims 1, data_type 2, float_data 4, int64_data 7, name 8, raw_data 9, double_data
   * 10, external_data 13, data_location 14.
   *
   * @param otherName of a tensor that has none of its own
   */
  private OnnxGraph.Tensor tensor(@Nullable String otherName) throws IOException {
    List<Long> shape = new ArrayList<>(2);
    List<Long> integers = new ArrayList<>(1);
    long[] type = {0};
    String[] name = {otherName == null ? "" : otherName};
    List<ProtoWalker.Span> raw = new ArrayList<>(1);
    List<ProtoWalker.Span> floats = new ArrayList<>(1);
    List<ProtoWalker.Span> doubles = new ArrayList<>(1);
    walker.message(
        field -> {
          switch (field) {
            case 1 -> walker.varints(size -> addSize(shape, size));
            case 2 -> type[0] = walker.varint();
            case 4 -> addSpan(floats);
            case 7 -> walker.varints(number -> keep(integers, number));
            case 8 -> name[0] = walker.text(limits.nameBytes());
            case 9 -> addSpan(raw);
            case 10 -> addSpan(doubles);
            case 13 -> throw external(name[0]);
            case 14 -> {
              if (walker.varint() == EXTERNAL) {
                throw external(name[0]);
              }
            }
            default -> walker.skip();
          }
        });
    if (type[0] < 1 || type[0] > TYPES.length) {
      throw walker.corrupt("tensor '%s' has the unknown type %d".formatted(name[0], type[0]));
    }
    TensorType known = TYPES[(int) type[0] - 1];
    long numValues = numValues(name[0], shape);
    ProtoWalker.Span values = null;
    values = fitting(name[0], shape, numValues, raw, known, known, values);
    values = fitting(name[0], shape, numValues, floats, known, TensorType.F32, values);
    values = fitting(name[0], shape, numValues, doubles, known, TensorType.F64, values);
    return new OnnxGraph.Tensor(
        name[0], known, Longs.toArray(shape), numValues, values, List.copyOf(integers));
  }

  private void addSize(List<Long> shape, long size) {
    if (size < 0) {
      throw walker.corrupt("a tensor has the size " + size + ", expected sizes from 0");
    }
    if (shape.size() == limits.dimensions()) {
      throw walker.corrupt(
          "a tensor has more than the limit of " + limits.dimensions() + " dimensions");
    }
    shape.add(size);
  }

  private void addSpan(List<ProtoWalker.Span> spans) throws IOException {
    spans.add(walker.bytes());
    if (spans.size() > 1) {
      throw walker.corrupt("a tensor has its values in several pieces");
    }
  }

  private long numValues(String name, List<Long> shape) {
    long numValues = 1;
    try {
      for (long size : shape) {
        numValues = Math.multiplyExact(numValues, size);
      }
      // bytes are counted too
      Math.multiplyExact(numValues, (long) Double.BYTES);
    } catch (ArithmeticException e) {
      throw walker.corrupt("tensor '%s' has a shape beyond all numbers: %s".formatted(name, shape));
    }
    return numValues;
  }

  /** These values, once they have the size of the shape; or those found before. */
  private ProtoWalker.@Nullable Span fitting(
      String name,
      List<Long> shape,
      long numValues,
      List<ProtoWalker.Span> spans,
      @Nullable TensorType found,
      @Nullable TensorType expected,
      ProtoWalker.@Nullable Span before) {
    if (spans.isEmpty()) {
      return before;
    }
    ProtoWalker.Span span = spans.get(0);
    if (before != null || found != expected) {
      throw walker.corrupt(
          "tensor '%s' has values of two kinds or not of its type".formatted(name));
    }
    if (expected != null && span.length() != numValues * expected.sizeBytes()) {
      throw walker.corrupt(
          "tensor '%s' of type %s and shape %s needs %d bytes, found %d"
              .formatted(name, expected, shape, numValues * expected.sizeBytes(), span.length()));
    }
    return span;
  }

  private CorruptFileException external(String name) {
    return walker.corrupt(
        "keeps the values of tensor '"
            + name
            + "' in another file (external data), which Lathe does not follow: export the model"
            + " into one file");
  }
}
