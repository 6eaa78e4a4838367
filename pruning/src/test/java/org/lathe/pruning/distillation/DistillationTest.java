package org.lathe.pruning.distillation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

class DistillationTest {
  private static final int POSITIONS = 3;
  private static final int HIDDEN = 4;
  private static final int LAYERS = 5;

  @Test
  void predictionLossAgreesWithPlainJava() {
    Random random = new Random(1);
    int size = 6;
    float[] student = gaussian(random, POSITIONS * size);
    float[] teacher = gaussian(random, POSITIONS * size);
    double tau = 2;
    List<float[]> found =
        Evaluate.graph(
            (tf, catalog) -> {
              Operand<TFloat32> s = matrix(tf, student, POSITIONS, size);
              Operand<TFloat32> t = matrix(tf, teacher, POSITIONS, size);
              Operand<TFloat32> loss = PredictionDistillation.loss(tf, s, t, tau);
              return List.of(
                  loss, Evaluate.gradient(tf, loss, s), PredictionDistillation.loss(tf, t, t, tau));
            });
    double expected = 0;
    for (int n = 0; n < POSITIONS; n++) {
      double[] p = softmax(teacher, n, size, tau);
      double[] q = softmax(student, n, size, tau);
      for (int v = 0; v < size; v++) {
        expected += tau * tau * p[v] * Math.log(p[v] / q[v]) / POSITIONS;
        // d/ds of tau^2 KL = tau (q - p) / N
        assertThat((double) found.get(1)[n * size + v])
            .isCloseTo(tau * (q[v] - p[v]) / POSITIONS, within(1e-5));
      }
    }
    assertThat((double) found.get(0)[0]).isCloseTo(expected, within(1e-5));
    assertThat(found.get(2)[0]).isCloseTo(0, within(1e-6f));
  }

  @Test
  void layerLossAgreesWithBruteForce() {
    Random random = new Random(2);
    List<Integer> teacherLayers = List.of(0, 2, 4);
    for (int trial = 0; trial < 12; trial++) {
      List<float[]> teacher = states(random);
      List<float[]> student = states(random);
      float[] exists = new float[LAYERS];
      for (int j = 0; j < LAYERS; j++) {
        exists[j] = trial == 0 || random.nextDouble() < 0.2 + 0.06 * trial ? 1 : 0;
      }
      if (trial == 1) {
        exists = new float[LAYERS]; // nothing left
      }
      float[] kernel = gaussian(random, HIDDEN * HIDDEN);
      float[] bias = gaussian(random, HIDDEN);
      double[][] costs = costs(teacher, student, teacherLayers, kernel, bias);
      Weights weights =
          new Weights()
              .put("distillation/projection/kernel", Shape.of(HIDDEN, HIDDEN), kernel)
              .put("distillation/projection/bias", Shape.of(HIDDEN), bias);
      for (Matching matching : Matching.values()) {
        float[] given = exists;
        List<float[]> found =
            Evaluate.graph(
                (tf, catalog) -> {
                  LayerDistillation distillation =
                      new LayerDistillation(catalog, HIDDEN, teacherLayers, matching);
                  assertThat(catalog.of(VariableGroup.AUXILIARY)).hasSize(2);
                  LayerDistillation.Output output =
                      distillation.call(
                          tf,
                          operands(tf, teacher),
                          operands(tf, student),
                          tf.constant(given),
                          null);
                  return List.of(output.loss(), output.costs());
                },
                weights);
        for (int i = 0; i < teacherLayers.size(); i++) {
          for (int j = 0; j < LAYERS; j++) {
            assertThat((double) found.get(1)[i * LAYERS + j]).isCloseTo(costs[i][j], within(1e-4));
          }
        }
        double expected = bruteForce(matching, costs, exists, teacherLayers);
        assertThat((double) found.get(0)[0])
            .as("%s, trial %s", matching, trial)
            .isCloseTo(expected, within(1e-4));
      }
    }
  }

  @Test
  void gradientFlowsToTheChosenLayersOnly() {
    Random random = new Random(3);
    List<float[]> teacher = states(random);
    List<float[]> student = new ArrayList<>(teacher);
    student.set(2, gaussian(random, POSITIONS * HIDDEN));
    List<float[]> found =
        Evaluate.graph(
            (tf, catalog) -> {
              LayerDistillation distillation =
                  new LayerDistillation(catalog, HIDDEN, List.of(1, 4), Matching.ORDERED);
              List<Operand<TFloat32>> states = operands(tf, student);
              Operand<TFloat32> loss =
                  distillation.call(tf, operands(tf, teacher), states, null, null).loss();
              return List.of(
                  loss,
                  Evaluate.gradient(tf, loss, states.get(2)),
                  Evaluate.gradient(tf, loss, states.get(5)));
            });
    assertThat(found.get(0)[0]).isPositive();
    // student layer 4 equals its teacher: the identity projection gives no cost and no gradient
    assertThat(found.get(2)).containsOnly(0f);
  }

  @Test
  void fourLayersAreSpread() {
    assertThat(LayerDistillation.fourOf(12)).containsExactly(2, 5, 8, 11);
    assertThat(LayerDistillation.fourOf(6)).containsExactly(0, 2, 3, 5);
    assertThat(LayerDistillation.fourOf(2)).containsExactly(0, 1);
  }

  @Test
  void slicedProjectionKeepsRows() {
    Weights sliced =
        LayerDistillation.sliceProjection(
            new Weights()
                .put(
                    "distillation/projection/kernel",
                    Shape.of(3, 2),
                    new float[] {1, 2, 3, 4, 5, 6})
                .put("distillation/projection/bias", Shape.of(2), new float[] {7, 8}),
            List.of(0, 2));
    assertThat(sliced.get("distillation/projection/kernel").values()).containsExactly(1, 2, 5, 6);
    assertThat(sliced.get("distillation/projection/bias").values()).containsExactly(7, 8);
  }

  /** A method that has learned none starts where each kept dimension answers to itself. */
  @Test
  void startingProjectionIsTheLearnedOneOrTheIdentitysRows() {
    Weights fresh = LayerDistillation.startingProjection(new Weights(), 3, List.of(0, 2));
    assertThat(fresh.get("distillation/projection/kernel").shape()).isEqualTo(Shape.of(2, 3));
    assertThat(fresh.get("distillation/projection/kernel").values())
        .containsExactly(1, 0, 0, 0, 0, 1);
    assertThat(fresh.get("distillation/projection/bias").values()).containsExactly(0, 0, 0);
    Weights learned =
        new Weights()
            .put("distillation/projection/kernel", Shape.of(2, 1), new float[] {5, 6})
            .put("distillation/projection/bias", Shape.of(1), new float[] {7});
    assertThat(
            LayerDistillation.startingProjection(learned, 1, List.of(1))
                .get("distillation/projection/kernel")
                .values())
        .containsExactly(6);
  }

  private static double bruteForce(
      Matching matching, double[][] costs, float[] exists, List<Integer> teacherLayers) {
    double sum = 0;
    switch (matching) {
      case FIXED -> {
        for (int i = 0; i < costs.length; i++) {
          sum += exists[teacherLayers.get(i)] * costs[i][teacherLayers.get(i)];
        }
      }
      case FREE -> {
        for (double[] row : costs) {
          double best = Double.POSITIVE_INFINITY;
          for (int j = 0; j < row.length; j++) {
            best = exists[j] > 0 ? Math.min(best, row[j]) : best;
          }
          sum += Double.isInfinite(best) ? 0 : best;
        }
      }
      case ORDERED -> sum = ordered(costs, exists, 0, -1)[1];
    }
    return sum;
  }

  /** Tries all: {2^i of the skipped teachers, cost}, so that few are skipped, and low ones. */
  private static double[] ordered(double[][] costs, float[] exists, int i, int last) {
    if (i == costs.length) {
      return new double[] {0, 0};
    }
    double[] best = ordered(costs, exists, i + 1, last);
    best = new double[] {best[0] + Math.pow(2, i), best[1]};
    for (int j = last + 1; j < exists.length; j++) {
      if (exists[j] > 0) {
        double[] rest = ordered(costs, exists, i + 1, j);
        double cost = rest[1] + costs[i][j];
        if (rest[0] < best[0] || (rest[0] == best[0] && cost < best[1])) {
          best = new double[] {rest[0], cost};
        }
      }
    }
    return best;
  }

  private static double[][] costs(
      List<float[]> teacher,
      List<float[]> student,
      List<Integer> teacherLayers,
      float[] kernel,
      float[] bias) {
    double[][] costs = new double[teacherLayers.size()][LAYERS];
    for (int i = 0; i < costs.length; i++) {
      float[] target = teacher.get(teacherLayers.get(i) + 1);
      for (int j = 0; j < LAYERS; j++) {
        float[] state = student.get(j + 1);
        for (int n = 0; n < POSITIONS; n++) {
          for (int d = 0; d < HIDDEN; d++) {
            double projected = bias[d];
            for (int k = 0; k < HIDDEN; k++) {
              projected += state[n * HIDDEN + k] * kernel[k * HIDDEN + d];
            }
            double gap = projected - target[n * HIDDEN + d];
            costs[i][j] += gap * gap / (POSITIONS * HIDDEN);
          }
        }
      }
    }
    return costs;
  }

  private static double[] softmax(float[] logits, int row, int size, double tau) {
    double[] p = new double[size];
    double sum = 0;
    for (int v = 0; v < size; v++) {
      p[v] = Math.exp(logits[row * size + v] / tau);
      sum += p[v];
    }
    for (int v = 0; v < size; v++) {
      p[v] /= sum;
    }
    return p;
  }

  private static List<float[]> states(Random random) {
    List<float[]> states = new ArrayList<>();
    for (int i = 0; i <= LAYERS; i++) {
      states.add(gaussian(random, POSITIONS * HIDDEN));
    }
    return states;
  }

  private static List<Operand<TFloat32>> operands(Ops tf, List<float[]> states) {
    List<Operand<TFloat32>> operands = new ArrayList<>();
    states.forEach(state -> operands.add(matrix(tf, state, POSITIONS, HIDDEN)));
    return operands;
  }

  private static Operand<TFloat32> matrix(Ops tf, float[] values, int rows, int columns) {
    return tf.constant(Shape.of(rows, columns), DataBuffers.of(values, true, false));
  }

  private static float[] gaussian(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
