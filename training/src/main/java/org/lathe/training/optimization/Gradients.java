package org.lathe.training.optimization;

import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.exceptions.TensorFlowException;
import org.tensorflow.types.TFloat32;

/** Gradients of a loss with respect to variables, with TensorFlow's failures put into sentences. */
final class Gradients {
  private Gradients() {}

  /**
   * One gradient a variable, of its shape, in order.
   *
   * @throws GraphMismatchException when the loss does not reach a variable, or reaches it through
   *     an op without a gradient only
   */
  static List<Operand<TFloat32>> of(Graph graph, Operand<TFloat32> loss, List<Variable> variables) {
    Output<?>[] reads =
        variables.stream().map(variable -> variable.read().asOutput()).toArray(Output<?>[]::new);
    Output<?>[] outputs = addGradients(graph, loss, variables, reads);
    List<Operand<TFloat32>> gradients = new ArrayList<>();
    for (int i = 0; i < outputs.length; i++) {
      if (isMissing(outputs[i])) {
        throw new GraphMismatchException(unreached(variables.get(i)));
      }
      @SuppressWarnings("unchecked") // the gradient of a float32 read is float32
      Output<TFloat32> gradient = (Output<TFloat32>) outputs[i];
      gradients.add(gradient);
    }
    return gradients;
  }

  private static Output<?>[] addGradients(
      Graph graph, Operand<TFloat32> loss, List<Variable> variables, Output<?>[] reads) {
    try {
      return graph.addGradients(loss.asOutput(), reads);
    } catch (TensorFlowException | IllegalArgumentException e) {
      String message = String.valueOf(e.getMessage());
      for (Variable variable : variables) {
        // TensorFlow quotes the name of the read
        if (message.contains("'" + variable.read().op().name() + "'")) {
          throw new GraphMismatchException(unreached(variable), e);
        }
      }
      throw new GraphMismatchException(
          "the loss cannot be differentiated: %s; replace the op by ones that have a gradient"
              .formatted(message),
          e);
    }
  }

  /** Where all paths end at an op without a gradient, the output is a hull around null. */
  private static boolean isMissing(Output<?> output) {
    try {
      return output.op().name().isEmpty();
    } catch (IllegalStateException e) {
      return true;
    }
  }

  private static String unreached(Variable variable) {
    return "no gradient flows from the loss to variable '%s'; take it out of its parameter group"
            .formatted(variable.name())
        + " or use it in the loss";
  }
}
