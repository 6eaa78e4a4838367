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
      case GELU_TANH -> geluTanh(tf, x);
    };
  }

  /**
   * x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). The framework's takes the cube by op Pow,
   * whose gradient costs a logarithm a value.
   */
  private static <T extends TFloating> Operand<T> geluTanh(Ops tf, Operand<T> x) {
    Operand<T> cube = tf.math.mul(x, tf.math.square(x));
    Operand<T> inner =
        tf.math.mul(
            Scalars.like(tf, x, Math.sqrt(2 / Math.PI)),
            tf.math.add(x, tf.math.mul(Scalars.like(tf, x, 0.044715), cube)));
    Operand<T> half = tf.math.mul(Scalars.like(tf, x, 0.5), x);
    return tf.math.mul(half, tf.math.add(Scalars.like(tf, x, 1), tf.math.tanh(inner)));
  }
}
