package org.lathe.graphs.layers;

import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TFloat32;

/**
 * The two global biases of relative attention, u and v of Dai et al. 2019 (section 3.3): what a
 * query asks of every content and of every distance, whatever it is itself. One pair serves all
 * layers of a model, as in the released models of the paper. Names {@code name/content_bias} and
 * {@code name/position_bias}, both (N*H).
 */
public final class RelativeBiases {
  private final Variable content;
  private final Variable position;

  public RelativeBiases(
      VariableCatalog catalog, String name, int numHeads, int headSize, VariableGroup group) {
    Shape shape = Shape.of((long) numHeads * headSize);
    content = catalog.declare(name + "/content_bias", shape, Initializer.zeros(), group);
    position = catalog.declare(name + "/position_bias", shape, Initializer.zeros(), group);
  }

  /** u, heads behind each other. */
  Operand<TFloat32> content() {
    return content.value();
  }

  /** v, heads behind each other. */
  Operand<TFloat32> position() {
    return position.value();
  }
}
