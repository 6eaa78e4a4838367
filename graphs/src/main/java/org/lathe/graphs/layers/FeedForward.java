package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.ops.Activations;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** down(activation(up(x))): names {@code name/up} and {@code name/down}. */
public final class FeedForward {
  private final Linear up;
  private final Linear down;
  private final Activation activation;

  public FeedForward(
      VariableCatalog catalog,
      String name,
      int hiddenSize,
      int intermediateSize,
      Activation activation,
      VariableGroup group) {
    this.up = new Linear(catalog, name + "/up", hiddenSize, intermediateSize, group);
    this.down = new Linear(catalog, name + "/down", intermediateSize, hiddenSize, group);
    this.activation = activation;
  }

  /**
   * (N, D) -> (N, D).
   *
   * @param intermediateGate [F], or (N, F) for values of each position's own, or null: multiplies
   *     the activation
   */
  public Operand<TFloat32> call(
      Ops tf, Operand<TFloat32> x, @Nullable Operand<TFloat32> intermediateGate, Dropout dropout) {
    return down.call(tf, activations(tf, x, intermediateGate, dropout));
  }

  /** (N, D) -> (N, F): what the lower projection reads; see {@link #call}. */
  public Operand<TFloat32> activations(
      Ops tf, Operand<TFloat32> x, @Nullable Operand<TFloat32> intermediateGate, Dropout dropout) {
    Operand<TFloat32> raised = up.call(tf, x);
    Operand<TFloat32> active = Activations.apply(tf, activation, raised);
    Operand<TFloat32> kept = dropout.activation(tf, active);
    return intermediateGate == null ? kept : tf.math.mul(kept, intermediateGate);
  }
}
