package org.lathe.graphs.models;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TInt32;

/** A tiny decoder with random weights, its variable reads fed. */
final class DecoderBench implements AutoCloseable {
  final TestSession session = new TestSession();
  final VariableCatalog catalog = new VariableCatalog(session.tf(), 5);
  final TransformerConfig config;
  final DecoderLanguageModel model;
  final Operand<TInt32> tokens;
  final Map<String, double[]> weights = new HashMap<>();
  private final Feeds fedWeights = Feeds.none();

  /** What the tests look at, flat. */
  record Values(double[] output, double[] tap, double[] logits) {}

  DecoderBench(TransformerConfig config, long seed) {
    Ops tf = session.tf();
    this.config = config;
    model = new DecoderLanguageModel(catalog, config);
    tokens =
        tf.placeholder(
            TInt32.class, Placeholder.shape(Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE)));
    session.run(catalog.all().stream().map(Variable::initialize).toList());
    Random random = new Random(seed);
    for (Variable variable : catalog.of(VariableGroup.MODEL)) {
      boolean gain = variable.name().endsWith("gain");
      double[] values = RandomArrays.normal(random, (int) variable.size(), 0.4);
      for (int i = 0; i < values.length; i++) {
        // as the graph sees them
        values[i] = (float) (values[i] + (gain ? 1 : 0));
      }
      weights.put(variable.name(), values);
      fedWeights.put(variable.read(), variable.shape(), values);
    }
  }

  Values call(int[][] batch) {
    return call(batch, tf -> Gates.NONE, Dropout.NONE);
  }

  Values call(int[][] batch, Function<Ops, Gates> makeGates, Dropout dropout) {
    Ops tf = session.tf();
    Gates gates = makeGates.apply(tf);
    DecoderLanguageModel.Output output = model.call(tf, tokens, gates, dropout);
    List<double[]> found =
        session.evaluateAll(
            List.of(output.outputND(), output.tapNP(), model.logits(tf, output.outputND(), gates)),
            feeds(batch));
    return new Values(found.get(0), found.get(1), found.get(2));
  }

  Feeds feeds(int[][] batch) {
    return fedWeights.with(unfed(batch));
  }

  /** The tokens alone: variables keep their initial values. */
  Feeds unfed(int[][] batch) {
    int length = batch[0].length;
    int[] flat = new int[batch.length * length];
    for (int b = 0; b < batch.length; b++) {
      System.arraycopy(batch[b], 0, flat, b * length, length);
    }
    return Feeds.none().put(tokens, Shape.of(batch.length, length), flat);
  }

  @Override
  public void close() {
    session.close();
  }
}
