package org.lathe.training.evaluation;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.loop.SessionCall;
import org.lathe.training.loop.Sessions;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** An encoder with its head in a session, for batches of one size. */
public final class EncoderRunner implements AutoCloseable {
  private final Graph graph = new Graph();
  private final Session session;
  private final ExampleInput input;
  private final Map<String, Operand<TFloat32>> outputs;

  /**
   * @param weights of encoder and head
   * @param source of the weights, for messages
   * @param batchSize B of every batch
   * @param threads of TensorFlow; 0 = all cores
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are of another shape
   */
  public EncoderRunner(
      EncoderConfig config,
      HeadConfig head,
      Weights weights,
      String source,
      int batchSize,
      int threads) {
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    TrainingTask.Site site =
        new TrainingTask.Site(tf, catalog, new ScalarFeeds(tf), batchSize, config.maxLength(), 0);
    input = ExampleInput.declare(site, head);
    EncoderModel model = new EncoderModel(catalog, config, head);
    outputs = input.outputs(tf, input.call(tf, model, Gates.NONE, Dropout.NONE).logits());
    WeightTransfer transfer = new WeightTransfer(tf, catalog.all());
    session = Sessions.open(graph, threads);
    transfer.assign(session, weights, source);
  }

  /** Every output of the head by name, row-major. */
  public Map<String, float[]> outputs(ExampleBatch batch) {
    try (SessionCall call = new SessionCall(session)) {
      input.feedInputs(batch, call);
      Iterator<float[]> fetched = call.fetch(outputs.values()).iterator();
      Map<String, float[]> values = new LinkedHashMap<>();
      outputs.keySet().forEach(name -> values.put(name, fetched.next()));
      return values;
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
