package org.lathe.graphs.objectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;

/** Losses of classification, regression and question answering against loops in doubles. */
class TaskLossTest {
  private static final int N = 4;
  private static final int C = 3;
  private static final Shape LOGITS = Shape.of(N, C);
  private final double[] first = RandomArrays.normal(new Random(1), N * C, 2);
  private final double[] second = RandomArrays.normal(new Random(2), N * C, 2);

  /** -ln softmax of one row. */
  private static double crossEntropy(double[] logits, int row, int label) {
    double sum = 0;
    for (int c = 0; c < C; c++) {
      sum += Math.exp(logits[row * C + c]);
    }
    return Math.log(sum) - logits[row * C + label];
  }

  private static Operand<TFloat32> placeholder(TestSession session, Shape shape) {
    return session.tf().placeholder(TFloat32.class, Placeholder.shape(shape));
  }

  @Test
  void classCrossEntropy() {
    int[] labels = {2, 0, 1, 1};
    double expected = 0;
    for (int row = 0; row < N; row++) {
      expected += crossEntropy(first, row, labels[row]) / N;
    }
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Operand<TFloat32> logits = placeholder(session, LOGITS);
      Operand<TFloat32> loss = ClassCrossEntropy.mean(tf, logits, tf.constant(labels));
      assertThat(session.evaluate(loss, Feeds.none().put(logits, LOGITS, first))[0])
          .isCloseTo(expected, within(1e-6));
      GradientCheck.of(session, loss).input(logits, LOGITS, first).coordinates(12).verify();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void meanSquaredErrorOfRowsOrOfAColumn(int rank) {
    double[] predictions = {0.5, -1, 2, 4};
    float[] targets = {1, 1, 1, 5};
    Shape shape = rank == 1 ? Shape.of(N) : Shape.of(N, 1);
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Operand<TFloat32> x = placeholder(session, shape);
      Operand<TFloat32> loss = MeanSquaredError.mean(tf, x, tf.constant(targets));
      assertThat(session.evaluate(loss, Feeds.none().put(x, shape, predictions))[0])
          .isCloseTo((0.25 + 4 + 1 + 1) / 4, within(1e-6));
      GradientCheck.of(session, loss).input(x, shape, predictions).verify();
    }
  }

  /** Row 2 has no end, rows 1 and 3 no start inside; each side is a mean of its own. */
  @Test
  void spanLossLeavesOutPositionsOutsideTheSequence() {
    int[] starts = {2, -1, 0, 3};
    int[] ends = {2, 1, 7, 0};
    double start = (crossEntropy(first, 0, 2) + crossEntropy(first, 2, 0)) / 2;
    double end =
        (crossEntropy(second, 0, 2) + crossEntropy(second, 1, 1) + crossEntropy(second, 3, 0)) / 3;
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Operand<TFloat32> startLogits = placeholder(session, LOGITS);
      Operand<TFloat32> endLogits = placeholder(session, LOGITS);
      Operand<TFloat32> loss =
          SpanLoss.mean(tf, startLogits, endLogits, tf.constant(starts), tf.constant(ends));
      Feeds feeds = Feeds.none().put(startLogits, LOGITS, first).put(endLogits, LOGITS, second);
      assertThat(session.evaluate(loss, feeds)[0]).isCloseTo((start + end) / 2, within(1e-6));
      GradientCheck.of(session, loss)
          .input(startLogits, LOGITS, first)
          .input(endLogits, LOGITS, second)
          .coordinates(12)
          .verify();
      Operand<TFloat32> none =
          SpanLoss.mean(
              tf,
              startLogits,
              endLogits,
              tf.constant(new int[] {3, 3, 3, 3}),
              tf.constant(new int[] {9, -1, 5, 3}));
      assertThat(session.evaluate(none, feeds)[0]).isZero();
    }
  }
}
