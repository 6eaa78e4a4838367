package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.Positions;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Absolute positions: name {@code name/positions} (maxPositions, D). Sinusoidal ones are a variable
 * too, never trained, so that slimming can slice them.
 */
public final class AbsolutePositions {
  private final Variable positions;
  private final int offset;

  /** The first token has the table's first row. */
  public AbsolutePositions(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    this(catalog, name, config, 0, group);
  }

  /**
   * @param offset row of the first token
   */
  public AbsolutePositions(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      int offset,
      VariableGroup group) {
    this.offset = offset;
    int hiddenSize = config.hiddenSize();
    boolean learned = config.positions() == PositionEncoding.LEARNED;
    positions =
        catalog.declare(
            name + "/positions",
            Shape.of(config.maxPositions(), hiddenSize),
            learned
                ? Initializer.truncatedNormal(0.02)
                : Initializer.values(Positions.sinusoidal(config.maxPositions(), hiddenSize)),
            learned || group == VariableGroup.TEACHER ? group : VariableGroup.FROZEN);
  }

  /** x plus the position of each row in its segment: (B*T, D) -> (B*T, D). */
  public Operand<TFloat32> add(
      Ops tf, Operand<TFloat32> xND, SequenceShape shape, @Nullable Operand<TFloat32> hiddenGate) {
    Operand<TInt32> index = Masks.range(tf, shape.length());
    if (offset > 0) {
      index = tf.math.add(index, tf.constant(offset));
    }
    Operand<TFloat32> positionsTD =
        hiddenGate == null
            ? positions.rows(tf, index)
            : tf.gather(tf.math.mul(positions.value(), hiddenGate), index, tf.constant(0));
    int hiddenSize = (int) positions.shape().get(1);
    Operand<TFloat32> sum = tf.math.add(shape.unflatten(tf, xND, hiddenSize), positionsTD);
    return tf.reshape(sum, tf.constant(new int[] {-1, hiddenSize}));
  }
}
