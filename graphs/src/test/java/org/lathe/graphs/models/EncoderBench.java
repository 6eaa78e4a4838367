package org.lathe.graphs.models;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.reference.ReferenceEncoder.GateArrays;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** A tiny encoder with random weights; its variable reads, its inputs and its gates are fed. */
final class EncoderBench implements AutoCloseable {
  private static final Shape BATCH = Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE);

  final TestSession session = new TestSession();
  final VariableCatalog catalog = new VariableCatalog(session.tf(), 5);
  final EncoderConfig config;
  final Encoder model;
  final Operand<TInt32> tokens;
  final Operand<TInt32> types;
  final Operand<TInt32> present;
  final FedLayerGates gates;
  final Map<String, double[]> weights = new HashMap<>();

  /** Gates of their own in every layer of like blocks. */
  record FedLayerGates(
      Ops tf,
      Operand<TFloat32> hidden,
      Operand<TFloat32> headsLN,
      Operand<TFloat32> intermediateLF,
      Operand<TFloat32> attentionL,
      Operand<TFloat32> feedForwardL)
      implements Gates {

    @Override
    public Operand<TFloat32> heads(int layer) {
      return row(headsLN, layer);
    }

    @Override
    public Operand<TFloat32> intermediate(int layer) {
      return row(intermediateLF, layer);
    }

    @Override
    public Operand<TFloat32> attentionLayer(int layer) {
      return row(attentionL, layer);
    }

    @Override
    public Operand<TFloat32> feedForwardLayer(int layer) {
      return row(feedForwardL, layer);
    }

    private Operand<TFloat32> row(Operand<TFloat32> rows, int layer) {
      return tf.gather(rows, tf.constant(layer), tf.constant(0));
    }

    Feeds feeds(GateArrays values) {
      return Feeds.none()
          .put(hidden, Shape.of(values.hidden().length), values.hidden())
          .put(headsLN, shape(values.heads()), flat(values.heads()))
          .put(intermediateLF, shape(values.intermediate()), flat(values.intermediate()))
          .put(attentionL, Shape.of(values.attention().length), values.attention())
          .put(feedForwardL, Shape.of(values.feedForward().length), values.feedForward());
    }

    private static Shape shape(double[][] rows) {
      return Shape.of(rows.length, rows[0].length);
    }
  }

  EncoderBench(EncoderConfig config) {
    Ops tf = session.tf();
    this.config = config;
    model = new Encoder(catalog, config);
    tokens = tf.placeholder(TInt32.class, Placeholder.shape(BATCH));
    types = tf.placeholder(TInt32.class, Placeholder.shape(BATCH));
    present = tf.placeholder(TInt32.class, Placeholder.shape(BATCH));
    int numLayers = config.transformer().numLayers();
    BlockShape block = config.transformer().blocks().get(0);
    gates =
        new FedLayerGates(
            tf,
            floats(config.transformer().hiddenSize()),
            floats(numLayers, block.numHeads()),
            floats(numLayers, block.intermediateSize()),
            floats(numLayers),
            floats(numLayers));
  }

  private Operand<TFloat32> floats(long... shape) {
    return session.tf().placeholder(TFloat32.class, Placeholder.shape(Shape.of(shape)));
  }

  /** Random values for everything that was declared so far. */
  Feeds drawWeights(long seed) {
    Random random = new Random(seed);
    Feeds feeds = Feeds.none();
    for (Variable variable : catalog.all()) {
      double[] values = RandomArrays.normal(random, (int) variable.size(), 0.4);
      for (int i = 0; i < values.length; i++) {
        // as the graph sees them
        values[i] = (float) (values[i] + (variable.name().endsWith("gain") ? 1 : 0));
      }
      weights.put(variable.name(), values);
      feeds.put(variable.read(), variable.shape(), values);
    }
    return feeds;
  }

  /** Sequences of any lengths, filled up with token 7 and type 1. */
  Feeds batch(int[][] tokenRows, int[][] typeRows, int length) {
    int[] flatTokens = new int[tokenRows.length * length];
    int[] flatTypes = new int[flatTokens.length];
    int[] flatPresent = new int[flatTokens.length];
    for (int b = 0; b < tokenRows.length; b++) {
      for (int t = 0; t < length; t++) {
        boolean there = t < tokenRows[b].length;
        flatTokens[b * length + t] = there ? tokenRows[b][t] : 7;
        flatTypes[b * length + t] = there ? typeRows[b][t] : 1;
        flatPresent[b * length + t] = there ? 1 : 0;
      }
    }
    Shape shape = Shape.of(tokenRows.length, length);
    return Feeds.none()
        .put(tokens, shape, flatTokens)
        .put(types, shape, flatTypes)
        .put(present, shape, flatPresent);
  }

  static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  @Override
  public void close() {
    session.close();
  }
}
