package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

/**
 * Weights of an ONNX file under the names that they had in PyTorch. Exporters keep those names for
 * biases, norms and tables, and lose them for the matrices of linear layers, whose transposition
 * they fold; such a matrix gets its name from the bias that is added to its product, else from the
 * path of the node that uses it ("/encoder/layer.0/attention/self/query/MatMul"), and {@link
 * #liesInOut} says which way it lies.
 */
public final class OnnxReader implements TensorSource {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final Storage storage;
  private final Path file;
  private final OnnxGraph graph;
  private final Map<String, OnnxGraph.Tensor> tensors = new LinkedHashMap<>();
  private final Set<String> inOut = new HashSet<>();

  private OnnxReader(Storage storage, Path file, OnnxGraph graph) {
    this.storage = storage;
    this.file = file;
    this.graph = graph;
  }

  /**
   * Parses the graph; values stay in the file.
   *
   * @throws CorruptFileException when the file is no ONNX model, passes a limit, keeps values
   *     elsewhere, or is quantized
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static OnnxReader open(Storage storage, Path file) {
    return open(storage, file, OnnxLimits.DEFAULT);
  }

  static OnnxReader open(Storage storage, Path file, OnnxLimits limits) {
    OnnxReader reader = new OnnxReader(storage, file, OnnxParser.parse(storage, file, limits));
    reader.nameMatrices();
    reader.nameOthers();
    return reader;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Shape shape(String name) {
    return Shape.of(tensor(name).shape());
  }

  @Override
  public Weights.Array read(String name) {
    OnnxGraph.Tensor tensor = tensor(name);
    if (tensor.type() == null || tensor.values() == null) {
      throw new CorruptFileException(
          "%s: tensor '%s' has no float values in raw_data, float_data or double_data; export it as float32."
              .formatted(file, name));
    }
    return new Weights.Array(
        Shape.of(tensor.shape()),
        FloatValues.read(
            storage, file, name, tensor.values().position(), tensor.type(), tensor.numValues()));
  }

  @Override
  public boolean liesInOut(String name) {
    return inOut.contains(name);
  }

  @Override
  public String place() {
    return file.toString();
  }

  /** What else the graph tells about its model. */
  OnnxHints hints() {
    return new OnnxHints(storage, file, graph);
  }

  private void nameMatrices() {
    for (OnnxGraph.Node node : graph.nodes) {
      switch (node.op()) {
        case "MatMul" -> nameMatrix(node, false, bias(node));
        case "Gemm" -> {
          if (node.number("transA", 0) != 0 || node.reals().getOrDefault("alpha", 1f) != 1) {
            throw corrupt("node '" + node.name() + "' scales or transposes what it multiplies");
          }
          nameMatrix(node, node.number("transB", 0) != 0, graph.seen(node.input(2)));
        }
        case "MatMulInteger", "QLinearMatMul", "DequantizeLinear", "MatMulNBits" ->
            throw corrupt("is quantized (" + node.op() + "): import the float32 model instead");
        default -> {}
      }
    }
  }

  /**
   * @param flips whether the node itself takes rows for columns
   * @param bias that is added to the product, null for none
   */
  private void nameMatrix(OnnxGraph.Node node, boolean flips, OnnxGraph.@Nullable Seen bias) {
    OnnxGraph.Seen seen = graph.seen(node.input(1));
    if (seen == null || seen.tensor().rank() != 2) {
      return; // a product of two activations
    }
    String own = seen.tensor().name();
    String name;
    if (own.endsWith(WEIGHT)) {
      name = own;
    } else if (bias != null && bias.tensor().name().endsWith(BIAS)) {
      String biasName = bias.tensor().name();
      name = biasName.substring(0, biasName.length() - BIAS.length()) + WEIGHT;
    } else {
      name = path(node) + WEIGHT;
    }
    boolean lies = flips == seen.transposed();
    OnnxGraph.Tensor before = tensors.put(name, seen.tensor());
    if (before != null && (!before.name().equals(own) || lies != inOut.contains(name))) {
      throw corrupt("has two matrices that must both be '" + name + "'");
    }
    if (lies) {
      inOut.add(name);
    }
  }

  /** The vector that is added to this product. */
  private OnnxGraph.@Nullable Seen bias(OnnxGraph.Node node) {
    OnnxGraph.Seen found = null;
    for (String output : node.outputs()) {
      for (OnnxGraph.Node consumer : graph.consumers(output)) {
        if (!consumer.op().equals("Add")) {
          continue;
        }
        for (String input : consumer.inputs()) {
          OnnxGraph.Seen seen = graph.seen(input);
          found = seen != null && seen.tensor().rank() == 1 ? seen : found;
        }
      }
    }
    return found;
  }

  /** "/encoder/layer.0/intermediate/dense/MatMul" as "encoder.layer.0.intermediate.dense". */
  private static String path(OnnxGraph.Node node) {
    String text =
        node.name().isEmpty() && !node.outputs().isEmpty() ? node.outputs().get(0) : node.name();
    int end = text.lastIndexOf('/');
    String path = end < 0 ? text : text.substring(0, end);
    return (path.startsWith("/") ? path.substring(1) : path).replace('/', '.');
  }

  private void nameOthers() {
    Set<OnnxGraph.Tensor> named = Collections.newSetFromMap(new IdentityHashMap<>());
    named.addAll(tensors.values());
    graph.tensors.forEach(
        (name, tensor) -> {
          if (!named.contains(tensor)) {
            tensors.putIfAbsent(name, tensor);
          }
        });
  }

  private OnnxGraph.Tensor tensor(String name) {
    if (!tensors.containsKey(name)) {
      throw new CorruptFileException(
          "%s holds no tensor '%s'; it holds %d others.".formatted(file, name, tensors.size()));
    }
    return Objects.requireNonNull(tensors.get(name));
  }

  private CorruptFileException corrupt(String what) {
    return new CorruptFileException(file + ": " + what + ".");
  }
}
