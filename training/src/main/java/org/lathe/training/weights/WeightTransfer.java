package org.lathe.training.weights;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Maps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.weights.Weights;
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
 * Moves the values of variables between a session and {@link Weights}. With {@link TensorBundle}
 * the only class that does. Adds its ops when it is made, one placeholder and assignment a
 * variable.
 */
public final class WeightTransfer {
  private final List<Variable> variables;
  private final List<Placeholder<TFloat32>> placeholders;
  private final List<Op> assignments;

  public WeightTransfer(Ops tf, List<Variable> variables) {
    this.variables = ImmutableList.copyOf(variables);
    placeholders = new ArrayList<>();
    assignments = new ArrayList<>();
    for (Variable variable : variables) {
      Placeholder<TFloat32> value =
          tf.placeholder(TFloat32.class, Placeholder.shape(variable.shape()));
      placeholders.add(value);
      assignments.add(tf.assignVariableOp(variable.handle(), value));
    }
  }

  /** Runs every variable's initializer. */
  public void initialize(Session session) {
    Session.Runner runner = session.runner();
    variables.forEach(variable -> runner.addTarget(variable.initialize().op()));
    runner.run().close();
  }

  /** The present values, in order of the variables. */
  public Weights fetch(Session session) {
    Weights weights = new Weights();
    // one at a time, so that native copies of large models do not pile up
    for (Variable variable : variables) {
      try (Result result = session.runner().fetch(variable.read()).run()) {
        float[] values = new float[Math.toIntExact(variable.size())];
        ((TFloat32) result.get(0)).asRawTensor().data().asFloats().read(values);
        weights.put(variable.name(), variable.shape(), values);
      }
    }
    return weights;
  }

  /**
   * Assigns exactly these variables.
   *
   * @param source of the weights, for the message
   * @throws org.lathe.graphs.errors.GraphMismatchException when names or shapes differ; nothing is
   *     assigned then
   */
  public void assign(Session session, Weights weights, String source) {
    Map<String, Shape> expected = Maps.newLinkedHashMap();
    variables.forEach(variable -> expected.put(variable.name(), variable.shape()));
    weights.requireExactly(expected, source);
    for (int i = 0; i < variables.size(); i++) {
      Variable variable = variables.get(i);
      float[] values = weights.get(variable.name()).values();
      try (Tensor tensor =
          TFloat32.tensorOf(variable.shape(), DataBuffers.of(values, true, false))) {
        session
            .runner()
            .feed(placeholders.get(i), tensor)
            .addTarget(assignments.get(i).op())
            .run()
            .close();
      }
    }
  }
}
