package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.budget.ParameterCount;
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

/** A decoder whose weights, tokens and, if it is gated, gates are fed: one run is all it takes. */
final class TestDecoder implements AutoCloseable {
  /** The tap comes this far before the last of the outputs. */
  static final int TAP_BEFORE_LAST = 2;

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
  private final Placeholder<TInt32> tokens;
  private final List<Variable> variables;
  private final Weights weights;
  private final Map<GateKind, Placeholder<TFloat32>> gateFeeds;
  private final List<Operand<TFloat32>> fetches = new ArrayList<>();

  private TestDecoder(TransformerConfig config, Weights weights, boolean gated) {
    this.weights = weights;
    VariableCatalog catalog = new VariableCatalog(tf, 1);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    variables = catalog.all();
    Map<String, Shape> declared = new HashMap<>();
    variables.forEach(variable -> declared.put(variable.name(), variable.shape()));
    assertThat(DecoderShapes.of(config, "decoder")).isEqualTo(declared);
    weights.requireExactly(declared, "test");
    long prunable =
        variables.stream()
            .filter(v -> v.name().matches(".*/(attention|feed_forward)/.*"))
            .mapToLong(Variable::size)
            .sum();
    assertThat(ParameterCount.count(config)).isEqualTo(prunable);
    tokens = tf.placeholder(TInt32.class);
    GateSet set = gated ? GateSet.fed(tf, config, EnumSet.allOf(GateKind.class)) : null;
    gateFeeds = set == null ? Map.of() : set.placeholders();
    Gates gates = set == null ? Gates.NONE : set;
    DecoderLanguageModel.Output output = model.call(tf, tokens, gates, Dropout.NONE);
    output.hiddenND().forEach(state -> fetches.add(tf.identity(state)));
    fetches.add(tf.identity(output.tapNP())); // identities: a result may be fetched once
    fetches.add(tf.identity(output.outputND()));
    fetches.add(model.logits(tf, output.outputND(), gates));
  }

  static TestDecoder masked(TransformerConfig config, Weights weights) {
    return new TestDecoder(config, weights, true);
  }

  static TestDecoder slim(SlimModel slim) {
    return new TestDecoder(slim.config(), slim.weights(), false);
  }

  /** All hidden states, tap, output, and last the logits. */
  List<float[]> run(int[][] input, GateValues gates) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      Session.Runner runner = session.runner();
      feed(runner, tensors, tokens, TInt32.tensorOf(StdArrays.ndCopyOf(input)));
      for (Variable v : variables) {
        feed(runner, tensors, v.read(), floats(v.shape(), weights.get(v.name()).values()));
      }
      gateFeeds.forEach(
          (kind, placeholder) ->
              feed(runner, tensors, placeholder, floats(placeholder.shape(), gates.flat(kind))));
      fetches.forEach(runner::fetch);
      List<float[]> values = new ArrayList<>();
      try (Result result = runner.run()) {
        for (int i = 0; i < fetches.size(); i++) {
          values.add(Evaluate.floats((TFloat32) result.get(i)));
        }
      }
      return values;
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

  static Weights randomWeights(TransformerConfig config, Random random) {
    Weights weights = new Weights();
    DecoderShapes.of(config, "decoder")
        .forEach(
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
