package org.lathe.pruning.gates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.lathe.pruning.Evaluate;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

class HardConcreteTest {
  /** u, logAlpha, z, dz/dlogAlpha; from independent arithmetic. */
  private static final double[][] SAMPLES = {
    {.30, 1, .568417, .444149},
    {.05, 0, 0, 0},
    {.50, -2, 0, 0},
    {.90, -2, .588109, .440296},
    {.98, 4.605, 1, 0},
    {.02, -1, 0, 0},
  };

  /** logAlpha, P(z > 0), deterministic value. */
  private static final double[][] PROBABILITIES = {
    {-7, .004490, .000225},
    {-4.605, .047137, .003966},
    {-1.5986, .5, .128048},
    {0, .831822, .5},
    {4.605, .997982, .996034},
    {7, .999816, .999775},
  };

  @Test
  void plainJavaGivesTheGoldenValues() {
    for (double[] row : SAMPLES) {
      assertThat(HardConcrete.sample(row[0], row[1])).isCloseTo(row[2], within(1e-6));
    }
    for (double[] row : PROBABILITIES) {
      assertThat(HardConcrete.openProbability(row[0])).isCloseTo(row[1], within(2e-6));
      assertThat(HardConcrete.deterministicValue(row[0])).isCloseTo(row[2], within(2e-6));
    }
    assertThat(HardConcrete.LOG_ALPHA_LIMIT_OF_PAPER).isCloseTo(4.605170, within(1e-6));
  }

  @Test
  void opsGiveTheGoldenValuesAndGradients() {
    List<float[]> values =
        Evaluate.graph(
            (tf, catalog) -> {
              Operand<TFloat32> u = tf.constant(column(SAMPLES, 0));
              Operand<TFloat32> logAlpha = tf.constant(column(SAMPLES, 1));
              Operand<TFloat32> z = HardConcrete.sample(tf, u, logAlpha);
              Operand<TFloat32> p =
                  HardConcrete.openProbability(tf, tf.constant(column(PROBABILITIES, 0)));
              return List.of(z, Evaluate.gradient(tf, z, logAlpha), p);
            });
    assertThat(values.get(0)).containsExactly(column(SAMPLES, 2), within(1e-5f));
    assertThat(values.get(1)).containsExactly(column(SAMPLES, 3), within(1e-5f));
    assertThat(values.get(2)).containsExactly(column(PROBABILITIES, 1), within(2e-6f));
  }

  @Test
  void gradientAgreesWithFiniteDifferences() {
    int size = 200;
    SplittableRandom random = new SplittableRandom(3);
    float[] u = new float[size];
    float[] logAlpha = new float[size];
    for (int i = 0; i < size; i++) {
      u[i] = (float) random.nextDouble();
      logAlpha[i] = (float) (random.nextDouble() * 8 - 4);
    }
    float[] gradient =
        Evaluate.graph(
                (tf, catalog) -> {
                  Operand<TFloat32> x = tf.constant(logAlpha);
                  Operand<TFloat32> z = HardConcrete.sample(tf, tf.constant(u), x);
                  return List.of(Evaluate.gradient(tf, z, x));
                })
            .get(0);
    double h = 1e-4;
    for (int i = 0; i < size; i++) {
      double difference =
          (HardConcrete.sample(u[i], logAlpha[i] + h) - HardConcrete.sample(u[i], logAlpha[i] - h))
              / (2 * h);
      assertThat((double) gradient[i]).isCloseTo(difference, within(1e-3));
    }
  }

  /** Samples grow with u, so the open ones of a million sorted draws are found by bisection. */
  @Test
  void openProbabilityIsTheShareOfOpenSamples() {
    SplittableRandom random = new SplittableRandom(5);
    int numDraws = 1_000_000;
    double[] noise = random.doubles(numDraws).sorted().toArray();
    for (int k = 0; k < 50; k++) {
      double logAlpha = -5 + 0.2 * k;
      double before = 0;
      for (int i = 0; i < numDraws; i += 1000) {
        double z = HardConcrete.sample(noise[i], logAlpha);
        assertThat(z).isGreaterThanOrEqualTo(before);
        before = z;
      }
      int numClosed = 0;
      int firstOpen = numDraws;
      while (numClosed < firstOpen) {
        int middle = (numClosed + firstOpen) / 2;
        if (HardConcrete.sample(noise[middle], logAlpha) > 0) {
          firstOpen = middle;
        } else {
          numClosed = middle + 1;
        }
      }
      double p = HardConcrete.openProbability(logAlpha);
      double sigma = Math.sqrt(p * (1 - p) / numDraws);
      double share = (double) (numDraws - firstOpen) / numDraws;
      assertThat(share).as("logAlpha %s", logAlpha).isCloseTo(p, within(3 * sigma));
    }
  }

  private static float[] column(double[][] rows, int index) {
    float[] column = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      column[i] = (float) rows[i][index];
    }
    return column;
  }
}
