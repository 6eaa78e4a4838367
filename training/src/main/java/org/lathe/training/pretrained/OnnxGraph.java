package org.lathe.training.pretrained;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The part of an ONNX graph that tells what its weights are: nodes with the attributes that matter
 * here, and tensors by name with the place of their values in the file.
 */
final class OnnxGraph {
  /** How many nodes a weight may pass before it is used; a bound on loops in a false graph. */
  private static final int MAX_HOPS = 8;

  /**
   * An initializer, or the output of a Constant.
   *
   * @param type null for one that Lathe does not know the size of, strings for instance
   * @param values raw or packed little-endian values; null where there are none
   * @param integers of a small tensor of int64; empty otherwise
   */
  record Tensor(
      String name,
      @Nullable TensorType type,
      long[] shape,
      long numValues,
      ProtoWalker.@Nullable Span values,
      List<Long> integers) {
    int rank() {
      return shape.length;
    }
  }

  /**
   * @param numbers attributes of one whole number, or of several
   * @param reals attributes of one float
   */
  record Node(
      String op,
      String name,
      List<String> inputs,
      List<String> outputs,
      Map<String, List<Long>> numbers,
      Map<String, Float> reals) {
    long number(String attribute, long otherwise) {
      List<Long> values = numbers.getOrDefault(attribute, List.of());
      return values.size() == 1 ? values.get(0) : otherwise;
    }

    String input(int index) {
      return index < inputs.size() ? inputs.get(index) : "";
    }
  }

  /**
   * A tensor as a node sees it.
   *
   * @param transposed whether the node sees rows for columns
   */
  record Seen(Tensor tensor, boolean transposed) {}

  final List<Node> nodes = new ArrayList<>();

  /** By name. */
  final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, List<Node>> consumers = new HashMap<>();

  /** Fills what {@link #producer} and {@link #consumers} answer; after the last node. */
  void link() {
    for (Node node : nodes) {
      node.outputs().forEach(output -> producers.put(output, node));
      node.inputs()
          .forEach(input -> consumers.computeIfAbsent(input, key -> new ArrayList<>()).add(node));
    }
  }

  @Nullable Node producer(String value) {
    return producers.get(value);
  }

  List<Node> consumers(String value) {
    return consumers.getOrDefault(value, List.of());
  }

  /** The tensor behind an input, through Identity and Transpose of a matrix; null for none. */
  @Nullable Seen seen(String input) {
    boolean transposed = false;
    String value = input;
    for (int hop = 0; hop < MAX_HOPS; hop++) {
      Tensor tensor = tensors.get(value);
      if (tensor != null) {
        return new Seen(tensor, transposed);
      }
      Node node = producers.get(value);
      if (node == null) {
        return null;
      }
      if (node.op().equals("Transpose")) {
        // the default reverses the axes
        List<Long> axes = node.numbers().getOrDefault("perm", List.of(1L, 0L));
        if (!axes.equals(List.of(1L, 0L))) {
          return null;
        }
        transposed = !transposed;
      } else if (!node.op().equals("Identity")) {
        return null;
      }
      value = node.input(0);
    }
    return null;
  }
}
