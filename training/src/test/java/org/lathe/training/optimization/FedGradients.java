package org.lathe.training.optimization;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;

/**
 * A graph whose loss is the sum of products of variables and fed values, so that the fed values are
 * the gradients.
 */
final class FedGradients implements AutoCloseable {
  final Graph graph = new Graph();
  final Ops tf = Ops.create(graph);
  final VariableCatalog catalog = new VariableCatalog(tf, 1);
  final ScalarFeeds feeds = new ScalarFeeds(tf);
  private final Map<String, Placeholder<TFloat32>> gradients = new LinkedHashMap<>();
  private final List<Operand<TFloat32>> products = new ArrayList<>();
  private Operand<TFloat32> loss;
  private UpdateOps updateOps;
  private Session session;

  Variable declare(String name, Shape shape, float... initial) {
    Variable variable =
        catalog.declare(name, shape, Initializer.values(initial), VariableGroup.MODEL);
    Placeholder<TFloat32> gradient = tf.placeholder(TFloat32.class, Placeholder.shape(shape));
    gradients.put(name, gradient);
    Operand<TFloat32> flat =
        tf.reshape(tf.math.mul(variable.read(), gradient), tf.constant(new int[] {-1}));
    products.add(tf.sum(flat, tf.constant(0)));
    return variable;
  }

  UpdateOps build(double clipNorm, int accumulationSteps, ParameterGroup... groups) {
    loss = tf.math.addN(products);
    updateOps =
        UpdateOps.build(
            tf, graph, catalog, feeds, loss, List.of(groups), clipNorm, accumulationSteps);
    restart();
    return updateOps;
  }

  /** A new session with initial values. */
  void restart() {
    if (session != null) {
      session.close();
    }
    session = new Session(graph);
    Session.Runner runner = session.runner();
    catalog.all().forEach(variable -> runner.addTarget(variable.initialize().op()));
    runner.run().close();
  }

  /** Returns the gradient norm. */
  double apply(long step, Map<String, float[]> values) {
    return run(step, values, updateOps.apply(), updateOps.gradientNorm())[0];
  }

  /** As apply, but returns the loss that is fetched with it. */
  double applyAndFetchLoss(long step, Map<String, float[]> values) {
    return run(step, values, updateOps.apply(), loss)[0];
  }

  void accumulate(long step, Map<String, float[]> values) {
    run(step, values, updateOps.accumulate(), loss);
  }

  float[] value(String name) {
    try (Result result = session.runner().fetch(catalog.get(name).read()).run()) {
      return floats(result.get(0));
    }
  }

  private float[] run(long step, Map<String, float[]> values, Op target, Operand<?> fetch) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      Session.Runner runner = session.runner().addTarget(target.op()).fetch(fetch);
      feeds
          .all()
          .forEach(
              (name, feed) -> {
                Tensor tensor = TFloat32.scalarOf((float) feed.valueAtStep().applyAsDouble(step));
                tensors.add(tensor);
                runner.feed(feed.placeholder(), tensor);
              });
      gradients.forEach(
          (name, placeholder) -> {
            Tensor tensor =
                TFloat32.tensorOf(
                    catalog.get(name).shape(), DataBuffers.of(values.get(name), true, false));
            tensors.add(tensor);
            runner.feed(placeholder, tensor);
          });
      try (Result result = runner.run()) {
        return floats(result.get(0));
      }
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.shape().size())];
    ((TFloat32) tensor).asRawTensor().data().asFloats().read(values);
    return values;
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
    }
    graph.close();
  }
}
