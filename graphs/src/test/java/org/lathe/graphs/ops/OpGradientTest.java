package org.lathe.graphs.ops;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.lathe.graphs.config.Activation;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.framework.activations.GELU;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.op.train.BatchMatMul;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/** Finite differences for every combination of ops that the layers and objectives use. */
class OpGradientTest {
  /** A formula of placeholders. */
  @FunctionalInterface
  interface Formula<T extends TNumber> {
    Operand<T> call(Ops tf, List<Operand<T>> x);
  }

  private static Arguments f64(String name, Formula<TFloat64> formula, Shape... shapes) {
    return Arguments.of(name, TFloat64.class, formula, shapes);
  }

  private static Arguments f32(String name, Formula<TFloat32> formula, Shape... shapes) {
    return Arguments.of(name, TFloat32.class, formula, shapes);
  }

  private static <T extends TNumber> Operand<TInt32> ints(Ops tf, int... values) {
    return tf.constant(values);
  }

  static Stream<Arguments> float64Formulas() {
    List<Arguments> all = new ArrayList<>();
    for (Shape s : List.of(Shape.of(3, 5), Shape.of(2, 3, 5), Shape.of(2, 3, 2, 5))) {
      Shape row = Shape.of(5);
      String rank = " at rank " + s.numDimensions();
      all.add(f64("logSumExp" + rank, (tf, x) -> LogSumExp.lastAxis(tf, x.get(0)), s));
      all.add(f64("logSoftmax" + rank, (tf, x) -> LogSumExp.logSoftmax(tf, x.get(0)), s));
      all.add(f64("logaddexp" + rank, (tf, x) -> LogSumExp.add(tf, x.get(0), x.get(1)), s, s));
      all.add(
          f64(
              "layerNorm" + rank,
              (tf, x) -> Norms.layerNorm(tf, x.get(0), x.get(1), x.get(2), 1e-5),
              s,
              row,
              row));
      all.add(f64("softmax" + rank, (tf, x) -> tf.nn.softmax(x.get(0)), s));
      all.add(f64("gate" + rank, (tf, x) -> tf.math.mul(x.get(0), x.get(1)), s, row));
      all.add(
          f64("scalar gate" + rank, (tf, x) -> tf.math.mul(x.get(0), x.get(1)), s, Shape.scalar()));
      all.add(f64("bias" + rank, (tf, x) -> tf.math.add(x.get(0), x.get(1)), s, row));
      all.add(f64("exact gelu" + rank, (tf, x) -> GELU.gelu(tf, x.get(0), false), s));
      all.add(
          f64(
              "approximated gelu" + rank,
              (tf, x) -> Activations.apply(tf, Activation.GELU_TANH, x.get(0)),
              s));
      all.add(f64("relu" + rank, (tf, x) -> tf.nn.relu(x.get(0)), s));
      all.add(
          f64(
              "gather of rows, some twice" + rank,
              (tf, x) -> tf.gather(x.get(0), ints(tf, 1, 0, 1), tf.constant(0)),
              s));
      all.add(
          f64(
              "skip of a closed sublayer" + rank,
              (tf, x) ->
                  tf.select(
                      tf.math.equal(tf.constant(0f), tf.constant(0f)),
                      tf.math.mul(x.get(0), x.get(0)),
                      tf.math.mul(x.get(0), x.get(1))),
              s,
              s));
      all.add(
          f64(
              "sublayer that is not skipped" + rank,
              (tf, x) ->
                  tf.select(
                      tf.math.equal(tf.constant(1f), tf.constant(0f)),
                      tf.math.mul(x.get(0), x.get(0)),
                      tf.math.mul(x.get(0), x.get(1))),
              s,
              s));
      all.add(
          f64(
              "log-likelihood of a masked row" + rank,
              (tf, x) ->
                  LogSumExp.lastAxis(
                      tf,
                      tf.math.add(
                          x.get(0),
                          tf.constant(new double[] {0, Masks.HIDDEN, 0, 0, Masks.HIDDEN}))),
              s));
    }
    all.add(
        f64(
            "matMul",
            (tf, x) -> tf.linalg.matMul(x.get(0), x.get(1)),
            Shape.of(3, 4),
            Shape.of(4, 2)));
    all.add(
        f64(
            "matMul with itself transposed",
            (tf, x) -> tf.linalg.matMul(x.get(0), x.get(0), MatMul.transposeB(true)),
            Shape.of(3, 4)));
    all.add(
        f64(
            "matMul transposed left",
            (tf, x) -> tf.linalg.matMul(x.get(0), x.get(1), MatMul.transposeA(true)),
            Shape.of(4, 3),
            Shape.of(4, 2)));
    all.add(
        f64(
            "batchMatMul adjY at rank 4",
            (tf, x) ->
                tf.train.batchMatMul(x.get(0), x.get(1), TFloat64.class, BatchMatMul.adjY(true)),
            Shape.of(2, 2, 3, 4),
            Shape.of(2, 2, 5, 4)));
    all.add(
        f64(
            "batchMatMul with itself at rank 3",
            (tf, x) ->
                tf.train.batchMatMul(x.get(0), x.get(0), TFloat64.class, BatchMatMul.adjY(true)),
            Shape.of(2, 3, 4)));
    all.add(
        f64(
            "split and merged heads",
            (tf, x) ->
                tf.reshape(
                    tf.linalg.transpose(
                        tf.math.square(
                            tf.linalg.transpose(
                                tf.reshape(x.get(0), ints(tf, 2, 3, 2, 2)), ints(tf, 0, 2, 1, 3))),
                        ints(tf, 0, 2, 1, 3)),
                    ints(tf, -1, 4)),
            Shape.of(6, 4)));
    all.add(
        f64(
            "attention with head gates",
            (tf, x) -> {
              Operand<TFloat64> scores =
                  tf.train.batchMatMul(x.get(0), x.get(1), TFloat64.class, BatchMatMul.adjY(true));
              Operand<TFloat64> context =
                  tf.train.batchMatMul(tf.nn.softmax(scores), x.get(2), TFloat64.class);
              return tf.math.mul(context, tf.reshape(x.get(3), ints(tf, 1, -1, 1, 1)));
            },
            Shape.of(2, 2, 3, 4),
            Shape.of(2, 2, 3, 4),
            Shape.of(2, 2, 3, 4),
            Shape.of(2)));
    return all.stream();
  }

  static Stream<Arguments> float32Formulas() {
    List<Arguments> all = new ArrayList<>();
    for (Shape s : List.of(Shape.of(3, 6), Shape.of(2, 3, 6), Shape.of(2, 2, 2, 6))) {
      Shape row = Shape.of(6);
      String rank = " at rank " + s.numDimensions();
      all.add(
          f32(
              "gatedLayerNorm without gate" + rank,
              (tf, x) -> Norms.gatedLayerNorm(tf, x.get(0), x.get(1), x.get(2), 1e-5, null),
              s,
              row,
              row));
      all.add(
          f32(
              "gatedLayerNorm with two closed entries" + rank,
              (tf, x) ->
                  Norms.gatedLayerNorm(
                      tf,
                      x.get(0),
                      x.get(1),
                      x.get(2),
                      1e-5,
                      tf.constant(new float[] {1, 0, 0.3f, 1, 0, 0.9f})),
              s,
              row,
              row));
      all.add(
          f32(
              "dropout of a fixed step" + rank,
              (tf, x) -> Dropout.of(0.4, 5, tf.constant(3)).call(tf, tf.math.square(x.get(0))),
              s));
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"float64Formulas", "float32Formulas"})
  <T extends TNumber> void gradientEqualsFiniteDifferences(
      String name, Class<T> type, Formula<T> formula, Shape[] shapes) {
    Random random = new Random(name.hashCode());
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      List<Operand<T>> inputs = new ArrayList<>();
      for (Shape shape : shapes) {
        inputs.add(tf.placeholder(type, Placeholder.shape(shape)));
      }
      GradientCheck check = GradientCheck.of(session, formula.call(tf, inputs));
      for (int i = 0; i < shapes.length; i++) {
        check.input(
            inputs.get(i),
            shapes[i],
            RandomArrays.awayFromZero(random, (int) shapes[i].size(), 0.1, 1.5));
      }
      check.verify();
    }
  }

  /** Shapes that are known only when the graph runs must not change gradients. */
  @Test
  void gradientsHoldForUnknownShapes() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Shape unknown = Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE);
      Operand<TFloat64> x = tf.placeholder(TFloat64.class, Placeholder.shape(unknown));
      GradientCheck.of(session, LogSumExp.logSoftmax(tf, x))
          .input(x, Shape.of(2, 3, 4), RandomArrays.normal(new Random(1), 24, 1))
          .verify();
    }
  }

  /**
   * Why {@link LogSumExp#logSoftmax} exists: TensorFlow's own gradient of LogSoftmax sums over axis
   * 1. When this test fails, TensorFlow has mended it.
   */
  @Test
  void gradientOfTensorFlowsOwnLogSoftmaxIsWrongAtRankThreeAndOursIsRight() {
    double[] values = RandomArrays.normal(new Random(2), 24, 1);
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Shape shape = Shape.of(2, 3, 4);
      Operand<TFloat64> x = tf.placeholder(TFloat64.class, Placeholder.shape(shape));
      GradientCheck.of(session, LogSumExp.logSoftmax(tf, x)).input(x, shape, values).verify();
      GradientCheck theirs =
          GradientCheck.of(session, tf.nn.logSoftmax(x)).input(x, shape, values).coordinates(24);
      assertThatThrownBy(theirs::verify)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("finite difference");
      // and it is right at rank 2
      Operand<TFloat64> flat = tf.reshape(x, tf.constant(new int[] {6, 4}));
      GradientCheck.of(session, tf.nn.logSoftmax(flat)).input(x, shape, values).verify();
    }
  }

  /** The check itself must notice a gradient that is cut. */
  @Test
  void checkNoticesStoppedGradients() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Operand<TFloat64> x = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.of(3)));
      Operand<TFloat64> wrong = tf.math.mul(x, tf.stopGradient(x));
      assertThatThrownBy(
              () ->
                  GradientCheck.of(session, wrong)
                      .fixed(Feeds.none())
                      .input(x, Shape.of(3), new double[] {1, 2, 3})
                      .verify())
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("relative error");
    }
  }
}
