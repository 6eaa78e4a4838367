package org.lathe.graphs.ops;

import org.lathe.graphs.config.Activation;
import org.tensorflow.Operand;
import org.tensorflow.framework.activations.GELU;
import org.tensorflow.op.Ops;
import org.tensorflow.types.family.TFloating;

/** Nonlinearities by name. */
public final class Activations {
  private Activations() {}

  /** Of each value. */
  public static <T extends TFloating> Operand<T> apply(
      Ops tf, Activation activation, Operand<T> x) {
    return switch (activation) {
      case RELU -> tf.nn.relu(x);
      case GELU -> GELU.gelu(tf, x, false);
      case GELU_TANH -> GELU.gelu(tf, x, true);
    };
  }
}
