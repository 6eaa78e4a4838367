package org.lathe.pruning.importance;

import com.google.common.annotations.VisibleForTesting;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;
import org.lathe.pruning.gates.GateValues;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.loop.SessionCall;
import org.lathe.training.loop.Sessions;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.Session;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;

/**
 * A fine-tuned encoder whose gates are all open, without dropout, and the gradient of its task's
 * loss in them, example by example, for batches of one size.
 */
public final class GradientRunner implements AutoCloseable {
  private final int batchSize;
  private final int numLayers;
  private final GateValues open;
  private final Graph graph = new Graph();
  private final Session session;
  private final ExampleInput input;
  private final Map<GateKind, Placeholder<TFloat32>> gateFeeds;
  private final Operand<TFloat32> loss;
  private final List<Operand<TFloat32>> gradients;

  /**
   * @param weights of encoder and head
   * @param source of the weights, for messages
   * @param batchSize B of every batch
   * @param threads of TensorFlow; 0 = all cores
   * @throws org.lathe.graphs.errors.ConfigException when the encoder's blocks differ
   * @throws GraphMismatchException when the weights are of another shape
   */
  public GradientRunner(
      EncoderConfig config,
      HeadConfig head,
      Weights weights,
      String source,
      int batchSize,
      int threads) {
    this.batchSize = batchSize;
    numLayers = config.transformer().numLayers();
    open = GateValues.allOpen(config.transformer());
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    TrainingTask.Site site =
        new TrainingTask.Site(tf, catalog, new ScalarFeeds(tf), batchSize, config.maxLength(), 0);
    input = ExampleInput.declare(site, head);
    EncoderModel model = new EncoderModel(catalog, config, head);
    GateSet shared =
        GateSet.fed(tf, config.transformer(), EnumSet.of(GateKind.HEADS, GateKind.INTERMEDIATE));
    gateFeeds = shared.placeholders();
    ExampleGates gates =
        new ExampleGates(tf, config.transformer(), shared, input.presentBT(), batchSize);
    loss = input.loss(tf, input.call(tf, model, gates, Dropout.NONE).logits());
    // the loss is a mean over the batch, an example's own loss is B times its part
    gradients = gradients(tf.math.mul(loss, tf.constant((float) batchSize)), gates.all());
    WeightTransfer transfer = new WeightTransfer(tf, catalog.all());
    session = Sessions.open(graph, threads);
    transfer.assign(session, weights, source);
  }

  private List<Operand<TFloat32>> gradients(
      Operand<TFloat32> scalar, List<Operand<TFloat32>> gates) {
    Output<?>[] found =
        graph.addGradients(
            scalar.asOutput(), gates.stream().map(Operand::asOutput).toArray(Output<?>[]::new));
    List<Operand<TFloat32>> all = new ArrayList<>();
    for (Output<?> gradient : found) {
      @SuppressWarnings("unchecked") // the gradient in a float32 is float32
      Output<TFloat32> typed = (Output<TFloat32>) gradient;
      all.add(typed);
    }
    return all;
  }

  /** Gradients of the examples of a batch with labels. */
  GateGradients gradients(ExampleBatch batch) {
    return gradients(batch, open);
  }

  @VisibleForTesting
  GateGradients gradients(ExampleBatch batch, GateValues values) {
    List<float[]> fetched = run(batch, values, gradients);
    return new GateGradients(
        batchSize,
        fetched.subList(0, numLayers).toArray(float[][]::new),
        fetched.subList(numLayers, 2 * numLayers).toArray(float[][]::new));
  }

  /** The mean loss of a batch at other values of the gates. */
  @VisibleForTesting
  double loss(ExampleBatch batch, GateValues values) {
    return run(batch, values, List.of(loss)).get(0)[0];
  }

  private List<float[]> run(
      ExampleBatch batch, GateValues values, List<Operand<TFloat32>> fetches) {
    try (SessionCall call = new SessionCall(session)) {
      input.feed(batch, call);
      gateFeeds.forEach(
          (kind, placeholder) ->
              call.feed(
                  placeholder,
                  TFloat32.tensorOf(
                      placeholder.shape(), DataBuffers.of(values.flat(kind), true, false))));
      return call.fetch(fetches);
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
