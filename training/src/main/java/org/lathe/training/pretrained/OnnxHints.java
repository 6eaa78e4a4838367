package org.lathe.training.pretrained;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/** What an ONNX graph tells of an encoder besides its weights. Silence means that it does not. */
final class OnnxHints {
  private final Storage storage;
  private final Path file;
  private final OnnxGraph graph;

  OnnxHints(Storage storage, Path file, OnnxGraph graph) {
    this.storage = storage;
    this.file = file;
    this.graph = graph;
  }

  /**
   * Heads of the attention: queries, keys and values are reshaped to (batch, length, heads, head
   * size), whose last two sizes are constants with the product D. Empty when there is no such
   * reshape or they differ.
   */
  OptionalInt numHeads(int hiddenSize) {
    Set<Long> found = new TreeSet<>();
    for (OnnxGraph.Node node : graph.nodes) {
      if (!node.op().equals("Reshape")) {
        continue;
      }
      List<Long> sizes = shape(node.input(1));
      int rank = sizes.size();
      if (rank != 4) {
        continue;
      }
      long heads = sizes.get(2);
      long headSize = sizes.get(3);
      if (heads > 0 && headSize > 0 && heads <= hiddenSize && heads * headSize == hiddenSize) {
        found.add(heads);
      }
    }
    return found.size() == 1
        ? OptionalInt.of(found.iterator().next().intValue())
        : OptionalInt.empty();
  }

  /** What is added to the variance in every norm. Empty when the graph does not show one value. */
  OptionalDouble normEpsilon() {
    Set<Float> found = new TreeSet<>();
    for (OnnxGraph.Node node : graph.nodes) {
      if (node.op().equals("LayerNormalization") || node.op().equals("SkipLayerNormalization")) {
        found.add(node.reals().getOrDefault("epsilon", 1e-5f)); // the operator's default
      } else if (node.op().equals("Sqrt")) {
        OnnxGraph.Node sum = graph.producer(node.input(0));
        if (sum != null && sum.op().equals("Add")) {
          sum.inputs().forEach(input -> scalar(input).ifPresent(value -> found.add((float) value)));
        }
      }
    }
    // as decimal, so that 1e-12f is 1e-12
    return found.size() == 1
        ? OptionalDouble.of(Double.parseDouble(Float.toString(found.iterator().next())))
        : OptionalDouble.empty();
  }

  /** "gelu", "gelu_new" or "relu" as Hugging Face calls them; null when none is recognized. */
  @Nullable String activation() {
    boolean relu = false;
    for (OnnxGraph.Node node : graph.nodes) {
      switch (node.op()) {
        case "Erf" -> {
          return "gelu";
        }
        case "Relu" -> relu = true;
        case "Pow" -> {
          // x^3 stands only in the approximation by tanh
          if (scalar(node.input(1)).orElse(0) == 3) {
            return "gelu_new";
          }
        }
        default -> {}
      }
    }
    return relu ? "relu" : null;
  }

  /** Sizes of a new shape; 0 for those that are computed. Empty when it is unknown. */
  private List<Long> shape(String input) {
    OnnxGraph.Seen seen = graph.seen(input);
    if (seen != null) {
      return integers(seen.tensor());
    }
    OnnxGraph.Node node = graph.producer(input);
    List<Long> sizes = new ArrayList<>();
    if (node != null && node.op().equals("Concat")) {
      for (String part : node.inputs()) {
        OnnxGraph.Seen constant = graph.seen(part);
        List<Long> values = constant == null ? List.of() : integers(constant.tensor());
        sizes.add(values.size() == 1 ? values.get(0) : 0L);
      }
    }
    return sizes;
  }

  private List<Long> integers(OnnxGraph.Tensor tensor) {
    ProtoWalker.Span span = tensor.values();
    if (tensor.type() != TensorType.I64 || tensor.numValues() > OnnxLimits.DEFAULT.dimensions()) {
      return List.of();
    }
    if (span == null || span.length() == 0) {
      return tensor.integers();
    }
    LongBuffer longs = small(span).asLongBuffer();
    List<Long> values = new ArrayList<>();
    while (longs.hasRemaining()) {
      values.add(longs.get());
    }
    return values;
  }

  private OptionalDouble scalar(String input) {
    OnnxGraph.Seen seen = graph.seen(input);
    if (seen == null
        || seen.tensor().numValues() != 1
        || seen.tensor().type() != TensorType.F32
        || seen.tensor().values() == null) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(small(seen.tensor().values()).getFloat());
  }

  /** A few bytes, read and not mapped: mappings are scarce, and a graph may have many constants. */
  private ByteBuffer small(ProtoWalker.Span span) {
    try (InputStream in = storage.open(file)) {
      in.skipNBytes(span.position());
      return ByteBuffer.wrap(in.readNBytes(span.length())).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }
}
