package org.lathe.pruning.importance;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.layers.EncoderEmbedding;
import org.lathe.graphs.layers.FeedForward;
import org.lathe.graphs.layers.LayerNorm;
import org.lathe.graphs.layers.SelfAttention;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateKind;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.SessionCall;
import org.lathe.training.loop.Sessions;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The embeddings and one block of an encoder, which takes the weights of one layer after the other:
 * its sublayers with fed inputs and gates, and what the normal equations of their units need.
 *
 * <p>Shape letters: B batch, T length, P = B*T positions, D hidden, C columns of what a sublayer's
 * last projection reads (heads times head size, or units), K columns that stay.
 */
final class BlockRunner implements AutoCloseable {
  private static final String BLOCK = "block";

  /** The halves of a block. */
  enum Sublayer {
    ATTENTION("/attention/output"),
    FEED_FORWARD("/feed_forward/down");

    private final String lastProjection;

    Sublayer(String lastProjection) {
      this.lastProjection = lastProjection;
    }
  }

  /**
   * The outputs of a sublayer, row-major (P, D).
   *
   * @param sum of residual and sublayer
   * @param next its norm, the input of what follows
   */
  record Step(float[] sum, float[] next) {}

  /**
   * Sums over the positions that hold tokens, with x_k column k of what the last projection reads,
   * w_k its row of the kernel and r what the sublayer should add.
   *
   * @param gram (K, K): (x_k x_l) (w_k w_l)
   * @param right (K): x_k (w_k r)
   */
  record Products(float[] gram, float[] right) {}

  private record Ports(
      Placeholder<TFloat32> gates,
      Operand<TFloat32> sum,
      Operand<TFloat32> next,
      Operand<TFloat32> gram,
      Operand<TFloat32> right) {}

  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> idsBT;
  private final Placeholder<TInt32> typesBT;
  private final Placeholder<TInt32> presentBT;
  private final Placeholder<TFloat32> statePD;
  private final Placeholder<TFloat32> targetPD;
  private final Placeholder<TInt32> columnsK;
  private final Operand<TFloat32> embeddedPD;
  private final Map<Sublayer, Ports> ports = new EnumMap<>(Sublayer.class);
  private final int hiddenSize;
  private final WeightTransfer blockTransfer;
  private final List<String> blockNames = new ArrayList<>();

  /**
   * @param weights of the encoder, of which the embeddings are taken
   * @param threads of TensorFlow; 0 = all cores
   */
  BlockRunner(EncoderConfig config, Weights weights, int threads) {
    TransformerConfig transformer = config.transformer();
    hiddenSize = transformer.hiddenSize();
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    idsBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    typesBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    presentBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    statePD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, hiddenSize)));
    targetPD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, hiddenSize)));
    columnsK = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1)));
    embeddedPD =
        new EncoderEmbedding(catalog, Encoder.PREFIX + "/embedding", config, VariableGroup.FROZEN)
            .call(tf, idsBT, typesBT, SequenceShape.of(tf, idsBT), null, Dropout.NONE);
    List<Variable> embedding = catalog.of(VariableGroup.FROZEN);
    declareAttention(tf, catalog, transformer);
    declareFeedForward(tf, catalog, transformer);
    List<Variable> block = catalog.of(VariableGroup.MODEL);
    block.forEach(variable -> blockNames.add(variable.name()));
    blockTransfer = new WeightTransfer(tf, block);
    WeightTransfer embeddingTransfer = new WeightTransfer(tf, embedding);
    session = Sessions.open(graph, threads);
    Weights own = new Weights();
    embedding.forEach(v -> own.put(v.name(), v.shape(), weights.get(v.name()).values()));
    embeddingTransfer.assign(session, own, "embeddings to rescale on");
  }

  private void declareAttention(Ops tf, VariableCatalog catalog, TransformerConfig config) {
    int numHeads = GateKind.requireUniform(config).numHeads();
    SelfAttention attention =
        new SelfAttention(
            catalog,
            BLOCK + "/attention",
            hiddenSize,
            numHeads,
            config.headSize(),
            VariableGroup.MODEL);
    LayerNorm norm =
        new LayerNorm(
            catalog,
            BLOCK + "/attention_norm",
            hiddenSize,
            config.normEpsilon(),
            VariableGroup.MODEL);
    SequenceShape shape = SequenceShape.of(tf, presentBT);
    Operand<TFloat32> mask = Masks.padding(tf, presentBT);
    Placeholder<TFloat32> gates =
        tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(numHeads)));
    declare(
        tf,
        catalog,
        Sublayer.ATTENTION,
        gates,
        attention.call(tf, statePD, shape, mask, gates, Dropout.NONE).output(),
        attention.context(tf, statePD, shape, mask, null, Dropout.NONE),
        norm);
  }

  private void declareFeedForward(Ops tf, VariableCatalog catalog, TransformerConfig config) {
    BlockShape block = GateKind.requireUniform(config);
    FeedForward feedForward =
        new FeedForward(
            catalog,
            BLOCK + "/feed_forward",
            hiddenSize,
            block.intermediateSize(),
            config.activation(),
            VariableGroup.MODEL);
    LayerNorm norm =
        new LayerNorm(
            catalog,
            BLOCK + "/feed_forward_norm",
            hiddenSize,
            config.normEpsilon(),
            VariableGroup.MODEL);
    Placeholder<TFloat32> gates =
        tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(block.intermediateSize())));
    declare(
        tf,
        catalog,
        Sublayer.FEED_FORWARD,
        gates,
        feedForward.call(tf, statePD, gates, Dropout.NONE),
        feedForward.activations(tf, statePD, null, Dropout.NONE),
        norm);
  }

  private void declare(
      Ops tf,
      VariableCatalog catalog,
      Sublayer sublayer,
      Placeholder<TFloat32> gates,
      Operand<TFloat32> addedPD,
      Operand<TFloat32> readPC,
      LayerNorm norm) {
    Operand<TFloat32> sumPD = tf.math.add(addedPD, statePD);
    Operand<TFloat32> presentP1 =
        tf.reshape(tf.dtypes.cast(presentBT, TFloat32.class), tf.constant(new int[] {-1, 1}));
    String last = BLOCK + sublayer.lastProjection;
    Operand<TFloat32> kernelKD =
        tf.gather(catalog.get(last + "/kernel").read(), columnsK, tf.constant(0));
    Operand<TFloat32> wantedPD =
        tf.math.sub(tf.math.sub(targetPD, statePD), catalog.get(last + "/bias").read());
    Operand<TFloat32> columnsPK =
        tf.math.mul(tf.gather(readPC, columnsK, tf.constant(1)), presentP1);
    Operand<TFloat32> gramKK =
        tf.math.mul(
            tf.linalg.matMul(columnsPK, columnsPK, MatMul.transposeA(true)),
            tf.linalg.matMul(kernelKD, kernelKD, MatMul.transposeB(true)));
    Operand<TFloat32> rightK =
        tf.reduceSum(
            tf.math.mul(tf.linalg.matMul(columnsPK, wantedPD, MatMul.transposeA(true)), kernelKD),
            tf.constant(1));
    ports.put(sublayer, new Ports(gates, sumPD, norm.call(tf, sumPD, null), gramKK, rightK));
  }

  /** Takes the weights of this layer. */
  void load(Weights weights, int layer) {
    String from = Encoder.PREFIX + "/layer_" + layer;
    Weights own = new Weights();
    for (String name : blockNames) {
      Weights.Array array = weights.get(from + name.substring(BLOCK.length()));
      own.put(name, array.shape(), array.values());
    }
    blockTransfer.assign(session, own, from);
  }

  /** The embeddings of a batch, (P, D). */
  float[] embed(ExampleBatch batch) {
    Shape shape = Shape.of(batch.batchSize(), batch.length());
    Map<Operand<?>, Tensor> feeds = new LinkedHashMap<>();
    feeds.put(idsBT, ints(shape, batch.ids()));
    feeds.put(typesBT, ints(shape, batch.tokenTypes()));
    return run(feeds, List.of(embeddedPD)).get(0);
  }

  /**
   * One sublayer of the loaded layer.
   *
   * @param state (P, D)
   * @param gates of heads or units, any numbers
   */
  Step step(Sublayer sublayer, ExampleBatch batch, float[] state, float[] gates) {
    Ports port = Objects.requireNonNull(ports.get(sublayer));
    Map<Operand<?>, Tensor> feeds = inputs(batch, state);
    feeds.put(port.gates, floats(Shape.of(gates.length), gates));
    List<float[]> fetched = run(feeds, List.of(port.sum, port.next));
    return new Step(fetched.get(0), fetched.get(1));
  }

  /**
   * Products of the columns that stay.
   *
   * @param state (P, D), input of the sublayer
   * @param target (P, D), what the sum of residual and sublayer should be
   * @param columns K indices
   */
  Products products(
      Sublayer sublayer, ExampleBatch batch, float[] state, float[] target, int[] columns) {
    Ports port = Objects.requireNonNull(ports.get(sublayer));
    Map<Operand<?>, Tensor> feeds = inputs(batch, state);
    feeds.put(targetPD, states(target));
    feeds.put(columnsK, ints(Shape.of(columns.length), columns));
    List<float[]> fetched = run(feeds, List.of(port.gram, port.right));
    return new Products(fetched.get(0), fetched.get(1));
  }

  private Map<Operand<?>, Tensor> inputs(ExampleBatch batch, float[] state) {
    Map<Operand<?>, Tensor> feeds = new LinkedHashMap<>();
    feeds.put(presentBT, ints(Shape.of(batch.batchSize(), batch.length()), batch.mask()));
    feeds.put(statePD, states(state));
    return feeds;
  }

  private Tensor states(float[] values) {
    return floats(Shape.of(values.length / hiddenSize, hiddenSize), values);
  }

  private static Tensor floats(Shape shape, float[] values) {
    return TFloat32.tensorOf(shape, DataBuffers.of(values, true, false));
  }

  private static Tensor ints(Shape shape, int[] values) {
    return TInt32.tensorOf(shape, DataBuffers.of(values, true, false));
  }

  /** Closes what was fed. */
  private List<float[]> run(Map<Operand<?>, Tensor> feeds, List<Operand<TFloat32>> fetches) {
    try (SessionCall call = new SessionCall(session)) {
      feeds.forEach(call::feed);
      return call.fetch(fetches);
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
