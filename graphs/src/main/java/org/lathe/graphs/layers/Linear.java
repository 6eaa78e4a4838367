package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** x W + b, with a kernel stored (in, out): names {@code name/kernel} and {@code name/bias}. */
public final class Linear {
  private final Variable kernel;
  private final @Nullable Variable bias;

  public Linear(
      VariableCatalog catalog, String name, int inputSize, int outputSize, VariableGroup group) {
    this(catalog, name, inputSize, outputSize, true, Initializer.scaledByFanIn(), group);
  }

  public Linear(
      VariableCatalog catalog,
      String name,
      int inputSize,
      int outputSize,
      boolean withBias,
      Initializer kernelInitializer,
      VariableGroup group) {
    kernel =
        catalog.declare(
            name + "/kernel", Shape.of(inputSize, outputSize), kernelInitializer, group);
    bias =
        withBias
            ? catalog.declare(name + "/bias", Shape.of(outputSize), Initializer.zeros(), group)
            : null;
  }

  /** (N, in) -> (N, out). */
  public Operand<TFloat32> call(Ops tf, Operand<TFloat32> x) {
    Operand<TFloat32> product = tf.linalg.matMul(x, kernel.value());
    return bias == null ? product : tf.nn.biasAdd(product, bias.value());
  }

  /** The same values; no gradient reaches kernel and bias. */
  public Operand<TFloat32> callFixed(Ops tf, Operand<TFloat32> x) {
    Operand<TFloat32> product = tf.linalg.matMul(x, tf.stopGradient(kernel.value()));
    return bias == null ? product : tf.nn.biasAdd(product, tf.stopGradient(bias.value()));
  }
}
