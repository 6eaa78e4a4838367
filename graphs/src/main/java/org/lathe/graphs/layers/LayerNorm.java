package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.ops.Norms;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** LayerNorm over the last axis: names {@code name/gain} and {@code name/bias}. */
public final class LayerNorm {
  private final Variable gain;
  private final Variable bias;
  private final double epsilon;

  public LayerNorm(
      VariableCatalog catalog, String name, int size, double epsilon, VariableGroup group) {
    this.gain = catalog.declare(name + "/gain", Shape.of(size), Initializer.ones(), group);
    this.bias = catalog.declare(name + "/bias", Shape.of(size), Initializer.zeros(), group);
    this.epsilon = epsilon;
  }

  /**
   * (..., D) -> (..., D); with a hidden gate, over its open entries only and multiplied by it.
   *
   * @param hiddenGate [D] or null
   */
  public Operand<TFloat32> call(
      Ops tf, Operand<TFloat32> x, @Nullable Operand<TFloat32> hiddenGate) {
    Operand<TFloat32> normed =
        Norms.gatedLayerNorm(tf, x, gain.value(), bias.value(), epsilon, hiddenGate);
    return hiddenGate == null ? normed : tf.math.mul(normed, hiddenGate);
  }

  /** The values without gates; no gradient reaches gain and bias. */
  public Operand<TFloat32> callFixed(Ops tf, Operand<TFloat32> x) {
    return Norms.layerNorm(
        tf, x, tf.stopGradient(gain.value()), tf.stopGradient(bias.value()), epsilon);
  }
}
