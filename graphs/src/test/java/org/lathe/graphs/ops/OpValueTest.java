package org.lathe.graphs.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.config.TransformerConfig.InnerDropout;
import org.lathe.graphs.reference.ReferenceDecoder;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.framework.activations.GELU;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;

/** Values of the static ops against plain Java. */
class OpValueTest {
  private static Operand<TFloat32> floats(Ops tf, double... values) {
    return tf.constant(TestSession.toFloats(values));
  }

  @Test
  void theApproximatedGeluIsThatOfTheFormula() {
    double[] values = {-6, -2.5, -0.7, -1e-3, 0, 0.3, 1, 4};
    double[] expected = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      double x = values[i];
      double inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
      expected[i] = x / 2 * (1 + Math.tanh(inner));
    }
    try (TestSession session = new TestSession()) {
      var found =
          Activations.apply(session.tf(), Activation.GELU_TANH, floats(session.tf(), values));
      assertThatTensor(session.evaluate(found, Feeds.none())).isCloseTo(expected, 1e-6);
    }
  }

  @Test
  void logSumExpEqualsTheDirectSum() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      var x = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.of(4, 7)));
      var lse = LogSumExp.lastAxis(tf, x);
      var logSoftmax = LogSumExp.logSoftmax(tf, x);
      SeededCases.run(
          20,
          random -> {
            double[] values = RandomArrays.normal(random, 28, 4);
            double[] expected = new double[4];
            double[] logarithms = new double[28];
            for (int row = 0; row < 4; row++) {
              double sum = 0;
              for (int v = 0; v < 7; v++) {
                sum += Math.exp(values[row * 7 + v]);
              }
              expected[row] = Math.log(sum);
              for (int v = 0; v < 7; v++) {
                logarithms[row * 7 + v] = Math.log(Math.exp(values[row * 7 + v]) / sum);
              }
            }
            Feeds feeds = Feeds.none().put(x, Shape.of(4, 7), values);
            assertThatTensor(session.evaluate(lse, feeds)).isCloseTo(expected, 1e-12);
            assertThatTensor(session.evaluate(logSoftmax, feeds)).isCloseTo(logarithms, 1e-12);
          });
    }
  }

  @Test
  void logSumExpSurvivesLargeAndHiddenEntries() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      assertThatTensor(session.evaluate(LogSumExp.lastAxis(tf, floats(tf, 1000, 1000))))
          .isCloseTo(new double[] {1000 + Math.log(2)}, 1e-6);
      assertThatTensor(session.evaluate(LogSumExp.lastAxis(tf, floats(tf, -10000, -10000))))
          .isCloseTo(new double[] {-10000 + Math.log(2)}, 1e-6);
    }
  }

  @Test
  void logAddExpIsExactForEmptyMemoryAndStableForLargeOne() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      double[] moderate = {-30, -1.25, 0, 3.75, 40};
      var x = floats(tf, moderate);
      var hidden = floats(tf, -10000, -9990, -10040, -20000, -10000);
      assertThatTensor(session.evaluate(LogSumExp.add(tf, x, hidden))).hasSameBitsAs(moderate);
      double[] other = {-31, 20, -7, 3.75, 90};
      double[] expected = new double[5];
      for (int i = 0; i < 5; i++) {
        double larger = Math.max(moderate[i], other[i]);
        expected[i] =
            larger + Math.log(Math.exp(moderate[i] - larger) + Math.exp(other[i] - larger));
      }
      assertThatTensor(session.evaluate(LogSumExp.add(tf, x, floats(tf, other))))
          .isCloseTo(expected, 1e-6);
    }
  }

  @Test
  void layerNormUsesTheBiasedVarianceAndTheEpsilon() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      Random random = new Random(6);
      // small values: the epsilon matters
      for (double size : new double[] {1, 1e-2}) {
        double[] x = RandomArrays.normal(random, 5, size);
        double[] gain = RandomArrays.normal(random, 5, 1);
        double[] bias = RandomArrays.normal(random, 5, 1);
        assertThatTensor(
                session.evaluate(
                    Norms.layerNorm(
                        tf, tf.constant(x), tf.constant(gain), tf.constant(bias), 1e-3)))
            .isCloseTo(ReferenceDecoder.layerNorm(x, gain, bias, 1e-3), 1e-12);
      }
    }
  }

  /** CoFi's LN_S is the LayerNorm of the model from which the closed dimensions were sliced. */
  @Test
  void gatedLayerNormEqualsTheNormOfTheSlicedModel() {
    SeededCases.run(
        20,
        random -> {
          int size = 2 + random.nextInt(6);
          double[] gate = RandomArrays.uniform(random, size, 0, 1);
          for (int i = 1; i < size; i++) {
            gate[i] = random.nextBoolean() ? 0 : gate[i];
          }
          double[] x = RandomArrays.normal(random, size, 2);
          double[] gain = RandomArrays.normal(random, size, 1);
          double[] bias = RandomArrays.normal(random, size, 1);
          double[] sliced =
              ReferenceDecoder.layerNorm(open(x, gate), open(gain, gate), open(bias, gate), 1e-5);
          double[] expected = new double[size];
          for (int i = 0, next = 0; i < size; i++) {
            expected[i] = gate[i] > 0 ? sliced[next++] : 0;
          }
          try (TestSession session = new TestSession()) {
            Ops tf = session.tf();
            assertThatTensor(
                    session.evaluate(
                        Norms.gatedLayerNorm(
                            tf,
                            floats(tf, x),
                            floats(tf, gain),
                            floats(tf, bias),
                            1e-5,
                            floats(tf, gate))))
                .isCloseTo(expected, 2e-5);
          }
        });
  }

  private static double[] open(double[] values, double[] gate) {
    return java.util.stream.IntStream.range(0, values.length)
        .filter(i -> gate[i] > 0)
        .mapToDouble(i -> values[i])
        .toArray();
  }

  @Test
  void causalMaskHidesLaterPositionsOnly() {
    try (TestSession session = new TestSession()) {
      double h = Masks.HIDDEN;
      assertThat(h).isEqualTo(-10000);
      assertThatTensor(session.evaluate(Masks.causal(session.tf(), session.tf().constant(3))))
          .isCloseTo(new double[] {0, h, h, 0, 0, h, 0, 0, 0}, 0);
    }
  }

  @Test
  void sinusoidsHaveSinesFirstThenCosines() {
    float[] table = Positions.sinusoidal(3, 5);
    assertThat(table).hasSize(15);
    assertThatTensor(Arrays.copyOf(table, 5)).hasSameBitsAs(new double[] {0, 0, 1, 1, 0});
    double slow = 1.0 / 10000;
    assertThatTensor(Arrays.copyOfRange(table, 10, 15))
        .isCloseTo(
            new double[] {Math.sin(2), Math.sin(2 * slow), Math.cos(2), Math.cos(2 * slow), 0},
            1e-7);
    assertThatTensor(Positions.sinusoidal(4, 2)).isFinite();
    assertThat(Positions.sinusoidal(2, 1)).containsExactly(0, 0);
  }

  @Test
  void geluIsTheExactOne() {
    double[] x = {-3, -1, -0.5, 0, 0.5, 1, 2, 3};
    double[] expected = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      expected[i] = x[i] / 2 * (1 + ReferenceDecoder.erf(x[i] / Math.sqrt(2)));
    }
    // known value: GELU(1) = Phi(1) = 0.8413447460685429
    assertThat(expected[5]).isCloseTo(0.8413447460685429, within(1e-12));
    try (TestSession session = new TestSession()) {
      assertThatTensor(session.evaluate(GELU.gelu(session.tf(), session.tf().constant(x), false)))
          .isCloseTo(expected, 1e-12);
    }
  }

  @Test
  void dropoutIsFixedBySeedSiteAndStepAndKeepsTheMean() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      var step = tf.placeholder(TInt32.class, Placeholder.shape(Shape.scalar()));
      var ones = tf.fill(tf.constant(new int[] {200, 100}), tf.constant(1f));
      Dropout dropout = Dropout.of(0.3, 7, step);
      var first = dropout.call(tf, ones);
      var second = dropout.call(tf, ones);
      var sameSiteOfAnotherBuild = Dropout.of(0.3, 7, step).call(tf, ones);
      var otherSeed = Dropout.of(0.3, 8, step).call(tf, ones);
      Feeds three = Feeds.none().scalar(step, 3);
      double[] values = session.evaluate(first, three);
      assertThatTensor(session.evaluate(first, three)).hasSameBitsAs(values);
      assertThatTensor(session.evaluate(sameSiteOfAnotherBuild, three)).hasSameBitsAs(values);
      assertThatTensor(session.evaluate(second, three)).differsFrom(values, 0.5);
      assertThatTensor(session.evaluate(otherSeed, three)).differsFrom(values, 0.5);
      assertThatTensor(session.evaluate(first, Feeds.none().scalar(step, 4)))
          .differsFrom(values, 0.5);
      // 20,000 draws: the standard deviation of the mean is 0.0046
      assertThat(Arrays.stream(values).average().orElseThrow()).isCloseTo(1, within(0.025));
      assertThat(Arrays.stream(values).filter(v -> v != 0).min().orElseThrow())
          .isCloseTo(1 / 0.7, within(1e-6));
      double dropped = Arrays.stream(values).filter(v -> v == 0).count() / (double) values.length;
      assertThat(dropped).isCloseTo(0.3, within(0.02));
    }
  }

  @Test
  void aModelsRatesActWhereTheyBelong() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      TransformerConfig plain = TransformerConfig.uniform(9, 8, 1, 2, 8, 4).withDropout(0.2);
      var ones = tf.fill(tf.constant(new int[] {100, 100}), tf.constant(1f));
      Dropout all = Dropout.of(plain, 7, tf.constant(1));
      assertThat(droppedShare(session, all.call(tf, ones))).isCloseTo(0.2, within(0.02));
      assertThat(droppedShare(session, all.attention(tf, ones))).isCloseTo(0.2, within(0.02));
      assertThat(all.activation(tf, ones)).isSameAs(ones);

      TransformerConfig inner = plain.withInnerDropout(new InnerDropout(0.5, 0.7));
      Dropout each = Dropout.of(inner, 7, tf.constant(1));
      assertThat(droppedShare(session, each.call(tf, ones))).isCloseTo(0.2, within(0.02));
      assertThat(droppedShare(session, each.attention(tf, ones))).isCloseTo(0.5, within(0.03));
      assertThat(droppedShare(session, each.activation(tf, ones))).isCloseTo(0.7, within(0.03));

      TransformerConfig none = plain.withDropout(0).withInnerDropout(new InnerDropout(0, 0));
      assertThat(Dropout.of(none, 7, tf.constant(1))).isSameAs(Dropout.NONE);
    }
  }

  private static double droppedShare(TestSession session, Operand<TFloat32> x) {
    double[] values = session.evaluate(x, Feeds.none());
    return Arrays.stream(values).filter(v -> v == 0).count() / (double) values.length;
  }

  @Test
  void dropoutOfRateZeroAddsNothingAndImpossibleRatesAreRefused() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      var x = floats(tf, 1, 2);
      Operand<TInt32> step = tf.constant(0);
      assertThat(Dropout.of(0, 1, step).call(tf, x)).isSameAs(x);
      for (double rate : new double[] {-0.1, 1, Double.NaN}) {
        assertThatThrownBy(() -> Dropout.of(rate, 1, step))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("dropout (" + rate + ")");
      }
    }
  }
}
