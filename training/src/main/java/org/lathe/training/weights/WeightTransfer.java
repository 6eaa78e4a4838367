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
  /** 64 MB of float32 in a run; a larger variable has a run of its own. */
  private static final long VALUES_PER_RUN = 16L << 20;

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
    for (List<Integer> part : parts()) {
      Session.Runner runner = session.runner();
      part.forEach(i -> runner.fetch(variables.get(i).read()));
      try (Result result = runner.run()) {
        for (int k = 0; k < part.size(); k++) {
          Variable variable = variables.get(part.get(k));
          float[] values = new float[Math.toIntExact(variable.size())];
          ((TFloat32) result.get(k)).asRawTensor().data().asFloats().read(values);
          weights.put(variable.name(), variable.shape(), values);
        }
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
    for (List<Integer> part : parts()) {
      List<Tensor> tensors = new ArrayList<>();
      try {
        Session.Runner runner = session.runner();
        for (int i : part) {
          Variable variable = variables.get(i);
          float[] values = weights.get(variable.name()).values();
          Tensor tensor = TFloat32.tensorOf(variable.shape(), DataBuffers.of(values, true, false));
          tensors.add(tensor);
          runner.feed(placeholders.get(i), tensor).addTarget(assignments.get(i).op());
        }
        runner.run().close();
      } finally {
        tensors.forEach(Tensor::close);
      }
    }
  }

  /**
   * Indices of the variables, cut into runs of limited size: a session prepares the whole graph for
   * each new set of fetches, so one run a variable would take minutes; one run for all would hold a
   * second copy of a large model.
   */
  private List<List<Integer>> parts() {
    List<List<Integer>> parts = new ArrayList<>();
    long size = Long.MAX_VALUE;
    for (int i = 0; i < variables.size(); i++) {
      if (size > VALUES_PER_RUN - Math.min(VALUES_PER_RUN, variables.get(i).size())) {
        parts.add(new ArrayList<>());
        size = 0;
      }
      parts.get(parts.size() - 1).add(i);
      size += variables.get(i).size();
    }
    return parts;
  }
}
