package org.lathe.testdata;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.family.TNumber;

/**
 * Compares TensorFlow's gradient of an output with central finite differences. An output that is
 * not a scalar is turned into one by fixed random weights. Inputs are fed: placeholders, or the
 * reads of variables.
 */
public final class GradientCheck {
  /** Units in the last place that a loss of several summands may be off. */
  private static final int ROUNDINGS = 4;

  private record Input(Operand<? extends TNumber> operand, Shape shape, double[] values) {}

  private final TestSession session;
  private final Operand<? extends TNumber> output;
  private final boolean isFloat64;
  private final List<Input> inputs = new ArrayList<>();
  private Feeds fixed = Feeds.none();
  private int numCoordinates = 10;
  private double difference;
  private double tolerance;

  private GradientCheck(TestSession session, Operand<? extends TNumber> output) {
    this.session = session;
    this.output = output;
    this.isFloat64 = output.type() == TFloat64.class;
    this.difference = isFloat64 ? 1e-4 : 1e-2;
    this.tolerance = isFloat64 ? 1e-5 : 3e-2;
  }

  public static GradientCheck of(TestSession session, Operand<? extends TNumber> output) {
    return new GradientCheck(session, output);
  }

  /** Differentiates with respect to this operand at these values. */
  public GradientCheck input(Operand<? extends TNumber> operand, Shape shape, double[] values) {
    inputs.add(new Input(operand, shape, values.clone()));
    return this;
  }

  /** Values that are fed but not differentiated. */
  public GradientCheck fixed(Feeds feeds) {
    fixed = fixed.with(feeds);
    return this;
  }

  /** How many random coordinates of each input are perturbed; the steepest one always is. */
  public GradientCheck coordinates(int count) {
    numCoordinates = count;
    return this;
  }

  /** Half the distance of the two points of a difference. */
  public GradientCheck difference(double value) {
    difference = value;
    return this;
  }

  /** Relative to the larger of both gradients, at least a tenth of the input's steepest one. */
  public GradientCheck tolerance(double value) {
    tolerance = value;
    return this;
  }

  /**
   * @throws AssertionError naming input, coordinate and both gradients
   */
  public void verify() {
    Feeds all = fixed;
    for (Input input : inputs) {
      all = all.with(Feeds.none().put(input.operand(), input.shape(), input.values()));
    }
    Operand<? extends TNumber> loss = scalarLoss(output, all);
    List<double[]> gradients = gradients(loss, all);
    Random random = new Random(17);
    for (int i = 0; i < inputs.size(); i++) {
      verifyInput(i, loss, all, gradients.get(i), random);
    }
  }

  private void verifyInput(
      int index, Operand<? extends TNumber> loss, Feeds all, double[] gradient, Random random) {
    Input input = inputs.get(index);
    if (gradient.length != input.values().length) {
      throw new AssertionError(
          "gradient of input "
              + index
              + " has "
              + gradient.length
              + " entries, the input has "
              + input.values().length);
    }
    int steepest = 0;
    for (int i = 0; i < gradient.length; i++) {
      if (!Double.isFinite(gradient[i])) {
        throw new AssertionError("gradient of input " + index + " is " + gradient[i] + " at " + i);
      }
      steepest = Math.abs(gradient[i]) > Math.abs(gradient[steepest]) ? i : steepest;
    }
    double floor = Math.max(Math.abs(gradient[steepest]) / 10, isFloat64 ? 1e-6 : 1e-3);
    Set<Integer> coordinates = new LinkedHashSet<>();
    coordinates.add(steepest);
    int wanted = Math.min(gradient.length, numCoordinates);
    while (coordinates.size() < wanted) {
      coordinates.add(random.nextInt(gradient.length));
    }
    for (int at : coordinates) {
      double above = lossAt(loss, all, input, at, difference);
      double below = lossAt(loss, all, input, at, -difference);
      double numeric = (above - below) / (2 * difference);
      double scale = Math.max(floor, Math.max(Math.abs(numeric), Math.abs(gradient[at])));
      double rounding =
          ROUNDINGS * (isFloat64 ? 0x1p-52 : 0x1p-23) * Math.max(1, Math.abs(above)) / difference;
      double error = Math.abs(numeric - gradient[at]);
      error = (error <= rounding ? 0 : error - rounding) / scale;
      if (!(error <= tolerance)) {
        throw new AssertionError(
            String.format(
                "gradient of input %d (%s, shape %s) at entry %d: TensorFlow %.9g, finite"
                    + " difference %.9g, relative error %.3g above %.3g",
                index,
                input.operand().asOutput().op().name(),
                input.shape(),
                at,
                gradient[at],
                numeric,
                error,
                tolerance));
      }
    }
  }

  private double lossAt(
      Operand<? extends TNumber> loss, Feeds all, Input input, int at, double delta) {
    double[] moved = input.values().clone();
    moved[at] += delta;
    return session
        .evaluate(loss, all.with(Feeds.none().put(input.operand(), input.shape(), moved)))[0];
  }

  private List<double[]> gradients(Operand<? extends TNumber> loss, Feeds all) {
    Output<?>[] with = inputs.stream().map(i -> i.operand().asOutput()).toArray(Output<?>[]::new);
    Output<?>[] gradients = session.graph().addGradients(loss.asOutput(), with);
    return session.evaluateAll(List.of(gradients), all);
  }

  private <T extends TNumber> Operand<T> scalarLoss(Operand<T> x, Feeds all) {
    if (x.shape().numDimensions() == 0) {
      return x;
    }
    Ops tf = session.tf();
    int size = session.evaluate(x, all).length;
    Operand<T> weights =
        tf.dtypes.cast(tf.constant(RandomArrays.normal(new Random(29), size, 1)), x.type());
    Operand<T> flat = tf.reshape(x, tf.constant(new int[] {-1}));
    return tf.reduceSum(tf.math.mul(flat, weights), tf.constant(0));
  }
}
