package org.lathe.pruning;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** Builds a small graph, initializes its variables, and gives the values of some operands. */
public final class Evaluate {
  private Evaluate() {}

  public static List<float[]> graph(
      BiFunction<Ops, VariableCatalog, List<Operand<TFloat32>>> build) {
    return graph(build, new Weights());
  }

  public static List<float[]> graph(
      BiFunction<Ops, VariableCatalog, List<Operand<TFloat32>>> build, Weights assigned) {
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      List<Operand<TFloat32>> operands = build.apply(tf, catalog);
      WeightTransfer all = new WeightTransfer(tf, catalog.all());
      List<Variable> given =
          catalog.all().stream().filter(v -> assigned.contains(v.name())).toList();
      WeightTransfer some = new WeightTransfer(tf, given);
      if (!catalog.all().isEmpty()) {
        all.initialize(session);
        some.assign(session, assigned, "test");
      }
      Session.Runner runner = session.runner();
      operands.forEach(runner::fetch);
      List<float[]> values = new ArrayList<>();
      try (Result result = runner.run()) {
        for (int i = 0; i < operands.size(); i++) {
          values.add(floats((TFloat32) result.get(i)));
        }
      }
      return values;
    }
  }

  public static float[] floats(TFloat32 tensor) {
    float[] values = new float[(int) tensor.size()];
    tensor.asRawTensor().data().asFloats().read(values);
    return values;
  }

  @SuppressWarnings("unchecked")
  public static Operand<TFloat32> gradient(Ops tf, Operand<TFloat32> y, Operand<TFloat32> x) {
    Graph graph = (Graph) tf.scope().env();
    return (Output<TFloat32>) graph.addGradients(y.asOutput(), new Output<?>[] {x.asOutput()})[0];
  }
}
