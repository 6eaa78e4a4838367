package org.lathe.graphs.variables;

import com.google.common.base.Preconditions;
import org.tensorflow.Operand;
import org.tensorflow.framework.initializers.Constant;
import org.tensorflow.framework.initializers.Ones;
import org.tensorflow.framework.initializers.TruncatedNormal;
import org.tensorflow.framework.initializers.Zeros;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** Adds the op that computes a variable's first value. */
@FunctionalInterface
public interface Initializer {

  /**
   * @param seed differs for every variable (derived from its name and the run's seed)
   */
  Operand<TFloat32> call(Ops tf, Shape shape, long seed);

  static Initializer zeros() {
    return (tf, shape, seed) ->
        new Zeros<TFloat32>().call(tf, tf.constant(shape.asArray()), TFloat32.class);
  }

  static Initializer ones() {
    return (tf, shape, seed) ->
        new Ones<TFloat32>().call(tf, tf.constant(shape.asArray()), TFloat32.class);
  }

  static Initializer constant(double value) {
    return (tf, shape, seed) ->
        new Constant<TFloat32>(value).call(tf, tf.constant(shape.asArray()), TFloat32.class);
  }

  /** Normal with mean 0, redrawn outside two standard deviations (BERT's and T5's initializer). */
  static Initializer truncatedNormal(double standardDeviation) {
    return (tf, shape, seed) ->
        new TruncatedNormal<TFloat32>(0, standardDeviation, seed)
            .call(tf, tf.constant(shape.asArray()), TFloat32.class);
  }

  /** Truncated normal with variance 1 / fanIn, for a [fanIn, fanOut] kernel. */
  static Initializer scaledByFanIn() {
    return (tf, shape, seed) ->
        truncatedNormal(1 / Math.sqrt((double) shape.get(0))).call(tf, shape, seed);
  }

  /** These values, row-major. */
  static Initializer values(float[] values) {
    return (tf, shape, seed) -> {
      Preconditions.checkArgument(
          shape.size() == values.length, "%s values given for shape %s", values.length, shape);
      return tf.constant(shape, DataBuffers.of(values, true, false));
    };
  }
}
