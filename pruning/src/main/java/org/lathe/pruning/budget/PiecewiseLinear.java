package org.lathe.pruning.budget;

import com.google.common.base.Preconditions;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * A function through given points, linear between them and constant outside.
 *
 * @param x strictly increasing, at least two
 * @param y of the same length
 */
record PiecewiseLinear(double[] x, double[] y) {
  PiecewiseLinear {
    Preconditions.checkArgument(x.length >= 2 && x.length == y.length, "two points or more");
    for (int i = 1; i < x.length; i++) {
      Preconditions.checkArgument(x[i] > x[i - 1], "x must increase");
    }
  }

  double at(double value) {
    double clipped = Math.min(x[x.length - 1], Math.max(x[0], value));
    int right = 1;
    while (x[right] < clipped) {
      right++;
    }
    double fraction = (clipped - x[right - 1]) / (x[right] - x[right - 1]);
    return y[right - 1] + fraction * (y[right] - y[right - 1]);
  }

  /**
   * [L] -> [L], differentiable: y_0 + sum_k (slope_k - slope_(k-1)) relu(v - x_k). At a knot the
   * gradient is the slope on its left.
   */
  Operand<TFloat32> at(Ops tf, Operand<TFloat32> valuesL) {
    int numKnots = x.length;
    float[] knots = new float[numKnots];
    float[] bends = new float[numKnots];
    double slope = 0;
    for (int k = 0; k < numKnots; k++) {
      double next = k + 1 < numKnots ? (y[k + 1] - y[k]) / (x[k + 1] - x[k]) : 0;
      knots[k] = (float) x[k];
      bends[k] = (float) (next - slope);
      slope = next;
    }
    Operand<TFloat32> beyondLK =
        tf.nn.relu(tf.math.sub(tf.expandDims(valuesL, tf.constant(1)), tf.constant(knots)));
    Operand<TFloat32> riseL =
        tf.reduceSum(tf.math.mul(beyondLK, tf.constant(bends)), tf.constant(1));
    return tf.math.add(riseL, tf.constant((float) y[0]));
  }
}
