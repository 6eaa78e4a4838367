package org.lathe.export.latency;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.lathe.export.savedmodel.ServingGraph;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.TransformerBlock;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.budget.SublayerTimer;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Times single sublayers with their norm and residual, for latency tables. A chain of copies with
 * weights of their own runs in one graph, once to its first copy and once to its last, in turns:
 * the difference of the medians over the number of copies between is the time of one, and what a
 * session call costs cancels.
 */
public final class SublayerBench implements SublayerTimer {
  private static final int NUM_COPIES = 4;

  /** A table has tens of sizes; at these limits that of a large batch takes a minute or two. */
  private static final double MAX_WARMUP_MS = 300;

  private static final double MAX_TIMED_MS = 1_200;
  private static final int MIN_RUNS = 7;
  private static final double NANOS_PER_MS = 1e6;

  private final ServedKind kind;
  private final int numWarmups;
  private final int numRuns;
  private final ConfigProto session;

  /**
   * Of language models.
   *
   * @param memory of the model: its part of a served call is timed with the whole
   * @param numWarmups calls that are not counted
   * @param numRuns calls that are; fewer, at least 7, where they would take over 1.2 seconds
   * @param numThreads of TensorFlow; 0 = as many as cores
   */
  public SublayerBench(MemoryConfig memory, int numWarmups, int numRuns, int numThreads) {
    this(ServedKind.languageModel(memory), numWarmups, numRuns, numThreads);
  }

  /**
   * Of encoders: the padding of full rows is the mask, and a served call takes ids, mask and types.
   * Ask it for {@link EncoderConfig#transformer} and other blocks of that encoder.
   */
  public SublayerBench(
      EncoderConfig encoder, HeadConfig head, int numWarmups, int numRuns, int numThreads) {
    this(ServedKind.encoder(encoder, head), numWarmups, numRuns, numThreads);
  }

  private SublayerBench(ServedKind kind, int numWarmups, int numRuns, int numThreads) {
    Preconditions.checkArgument(
        numWarmups >= 0 && numRuns > 0, "a measurement needs at least one run");
    this.kind = kind;
    this.numWarmups = numWarmups;
    this.numRuns = numRuns;
    this.session =
        ConfigProto.newBuilder()
            .setIntraOpParallelismThreads(numThreads)
            .setInterOpParallelismThreads(numThreads)
            .build();
  }

  /** Median time of one attention sublayer of this many heads; 0 for no head. */
  @Override
  public double attentionMs(TransformerConfig config, int batchSize, int length, int numHeads) {
    return numHeads == 0 ? 0 : sublayerMs(config, new BlockShape(numHeads, 0), batchSize, length);
  }

  /** Median time of one feed-forward sublayer of this width; 0 for width 0. */
  @Override
  public double feedForwardMs(TransformerConfig config, int batchSize, int length, int width) {
    return width == 0 ? 0 : sublayerMs(config, new BlockShape(0, width), batchSize, length);
  }

  /**
   * Median time of what pruning leaves: embeddings, norms outside the sublayers, pooler, what
   * stands on the outputs, and the session call itself.
   */
  @Override
  public double otherMs(TransformerConfig config, int batchSize, int length) {
    BlockShape empty = new BlockShape(0, 0);
    return wholeModelMs(config.withBlocks(config.hiddenSize(), List.of(empty)), batchSize, length);
  }

  /** Median time of a call of the whole model's default signature, all rows full. */
  @Override
  public double wholeModelMs(TransformerConfig config, int batchSize, int length) {
    Shape inputShape = Shape.of(batchSize, length);
    Map<Operand<?>, Tensor> feeds = new LinkedHashMap<>();
    try (Graph graph = new Graph();
        Session run = new Session(graph, session)) {
      Ops tf = Ops.create(graph);
      ServingGraph serving = kind.serving(tf, config);
      new WeightTransfer(tf, serving.variables()).initialize(run);
      for (ServingGraph.Input input : serving.inputs()) {
        int[] values = new int[batchSize * length];
        Arrays.fill(values, input.fullValue());
        feeds.put(
            input.operand(), TInt32.tensorOf(inputShape, DataBuffers.of(values, true, false)));
      }
      return inTurns(() -> timeMs(run, feeds, serving.outputs())).get(0).median();
    } finally {
      feeds.values().forEach(Tensor::close);
    }
  }

  private double sublayerMs(TransformerConfig config, BlockShape shape, int batchSize, int length) {
    TransformerConfig chain =
        config.withBlocks(config.hiddenSize(), Collections.nCopies(NUM_COPIES + 1, shape));
    Shape inputShape = Shape.of((long) batchSize * length, config.hiddenSize());
    float[] values = new float[Math.toIntExact(inputShape.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i);
    }
    try (Graph graph = new Graph();
        Session run = new Session(graph, session);
        TFloat32 input = TFloat32.tensorOf(inputShape, DataBuffers.of(values, true, false))) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Placeholder<TFloat32> inputND = tf.placeholder(TFloat32.class, Placeholder.shape(inputShape));
      SequenceShape sizes = new SequenceShape(tf.constant(batchSize), tf.constant(length));
      Operand<TFloat32> mask = kind.mask(tf, batchSize, length);
      List<Operand<TFloat32>> outputs = new ArrayList<>();
      Operand<TFloat32> hidden = inputND;
      for (int i = 0; i <= NUM_COPIES; i++) {
        TransformerBlock block =
            new TransformerBlock(
                catalog, "copy_" + i, chain, i, /* keepTap= */ false, VariableGroup.MODEL);
        hidden = block.call(tf, hidden, sizes, mask, Gates.NONE, Dropout.NONE).hidden();
        outputs.add(hidden);
      }
      new WeightTransfer(tf, catalog.all()).initialize(run);
      Map<Operand<?>, Tensor> chainFeeds = Map.of(inputND, input);
      Operand<TFloat32> first = outputs.get(0);
      Operand<TFloat32> last = outputs.get(NUM_COPIES);
      List<Samples> times =
          inTurns(
              () -> timeMs(run, chainFeeds, List.of(first)),
              () -> timeMs(run, chainFeeds, List.of(last)));
      double difference = times.get(1).median() - times.get(0).median();
      // noise can make the difference of tiny sublayers negative
      return Math.max(0, difference / NUM_COPIES);
    }
  }

  /**
   * The times of each call: as many as asked for, fewer where that would take too long. What takes
   * long needs fewer repetitions for the same relative error.
   */
  private List<Samples> inTurns(DoubleSupplier... calls) {
    double warmedUpMs = 0;
    for (int i = 0; i < numWarmups && warmedUpMs < MAX_WARMUP_MS; i++) {
      for (DoubleSupplier call : calls) {
        warmedUpMs += call.getAsDouble();
      }
    }
    double[][] times = new double[calls.length][numRuns];
    double timedMs = 0;
    int runs = 0;
    while (runs < numRuns && (runs < MIN_RUNS || timedMs < MAX_TIMED_MS)) {
      for (int i = 0; i < calls.length; i++) {
        times[i][runs] = calls[i].getAsDouble();
        timedMs += times[i][runs];
      }
      runs++;
    }
    int count = runs;
    return Arrays.stream(times).map(all -> new Samples(Arrays.copyOf(all, count))).toList();
  }

  private static double timeMs(
      Session run, Map<Operand<?>, Tensor> feeds, List<? extends Operand<?>> computed) {
    long start = System.nanoTime();
    Session.Runner runner = run.runner();
    feeds.forEach(runner::feed);
    computed.forEach(operand -> runner.addTarget(operand.op()));
    runner.run().close();
    return (System.nanoTime() - start) / NANOS_PER_MS;
  }
}
