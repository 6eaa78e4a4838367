package org.lathe.pruning.slimming;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;
import org.lathe.pruning.gates.GateValues;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.StdArrays;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.proto.GraphOptions;
import org.tensorflow.proto.RewriterConfig;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** A model whose weights, inputs and, if it is gated, gates are fed: one run is all it takes. */
final class FedModel implements AutoCloseable {
  /** Rewriting a graph that runs once takes longer than the run. */
  private static final ConfigProto AS_BUILT =
      ConfigProto.newBuilder()
          .setGraphOptions(
              GraphOptions.newBuilder()
                  .setRewriteOptions(RewriterConfig.newBuilder().setDisableMetaOptimizer(true)))
          .build();

  private final Graph graph = new Graph();
  private final Session session = new Session(graph, AS_BUILT);
  private final Ops tf = Ops.create(graph);
  private final VariableCatalog catalog = new VariableCatalog(tf, 1);
  private final List<Placeholder<TInt32>> inputs = new ArrayList<>();
  private final Map<GateKind, Placeholder<TFloat32>> gateFeeds;
  private final Gates gates;
  private final List<Operand<TFloat32>> fetches = new ArrayList<>();

  FedModel(TransformerConfig config, boolean gated) {
    GateSet set = gated ? GateSet.fed(tf, config, EnumSet.allOf(GateKind.class)) : null;
    gateFeeds = set == null ? Map.of() : set.placeholders();
    gates = set == null ? Gates.NONE : set;
  }

  Ops tf() {
    return tf;
  }

  VariableCatalog catalog() {
    return catalog;
  }

  Gates gates() {
    return gates;
  }

  /** What was declared, by name. */
  Map<String, Shape> declared() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    catalog.all().forEach(variable -> shapes.put(variable.name(), variable.shape()));
    return shapes;
  }

  /** Values in the variables that pruning may remove. */
  long numPrunable() {
    return catalog.all().stream()
        .filter(v -> v.name().matches(".*/(attention|feed_forward)/.*"))
        .mapToLong(Variable::size)
        .sum();
  }

  /** Another argument of {@link #run}. */
  Placeholder<TInt32> input() {
    Placeholder<TInt32> input = tf.placeholder(TInt32.class);
    inputs.add(input);
    return input;
  }

  /** Another result of {@link #run}. */
  void fetch(Operand<TFloat32> operand) {
    fetches.add(tf.identity(operand)); // identities: a result may be fetched once
  }

  /** Everything that was asked for, in order. */
  List<float[]> run(Weights weights, GateValues values, int[][]... batch) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      Session.Runner runner = session.runner();
      for (int i = 0; i < batch.length; i++) {
        feed(runner, tensors, inputs.get(i), TInt32.tensorOf(StdArrays.ndCopyOf(batch[i])));
      }
      for (Variable v : catalog.all()) {
        feed(runner, tensors, v.read(), floats(v.shape(), weights.get(v.name()).values()));
      }
      gateFeeds.forEach(
          (kind, placeholder) ->
              feed(runner, tensors, placeholder, floats(placeholder.shape(), values.flat(kind))));
      fetches.forEach(runner::fetch);
      List<float[]> results = new ArrayList<>();
      try (Result result = runner.run()) {
        for (int i = 0; i < fetches.size(); i++) {
          results.add(Evaluate.floats((TFloat32) result.get(i)));
        }
      }
      return results;
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static Tensor floats(Shape shape, float[] values) {
    return TFloat32.tensorOf(shape, DataBuffers.of(values, true, false));
  }

  private static void feed(
      Session.Runner runner, List<Tensor> tensors, Operand<?> operand, Tensor tensor) {
    tensors.add(tensor);
    runner.feed(operand, tensor);
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }

  /** Values for everything of these shapes. */
  static Weights randomWeights(Map<String, Shape> shapes, Random random) {
    Weights weights = new Weights();
    shapes.forEach(
        (name, shape) -> {
          float[] values = new float[(int) shape.size()];
          double scale = shape.numDimensions() == 2 ? 0.4 : 0.3;
          double mean = name.endsWith("gain") ? 1 : 0;
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + scale * random.nextGaussian());
          }
          weights.put(name, shape, values);
        });
    return weights;
  }
}
