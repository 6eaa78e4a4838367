package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;

class LeastSquaresTest {
  private static final int PARTS = 2;

  /** The gradient of |A m - y|^2 + d |m - 1|^2 is 0 at the solution. */
  @Test
  void theSolutionIsWhereTheGradientVanishes() {
    SeededCases.run(
        20,
        random -> {
          int size = 1 + random.nextInt(5);
          int rows = size + 3;
          double[][] parts = new double[rows][size * PARTS];
          double[] y = new double[rows];
          for (int t = 0; t < rows; t++) {
            for (int i = 0; i < size * PARTS; i++) {
              parts[t][i] = random.nextGaussian();
            }
            y[t] = random.nextGaussian();
          }
          LeastSquares equations = new LeastSquares(size);
          addRows(equations, parts, y, 0, rows / 2);
          addRows(equations, parts, y, rows / 2, rows);
          double[] m = equations.solve();
          double[][] a = new double[rows][size];
          double diagonal = 0;
          for (int t = 0; t < rows; t++) {
            for (int i = 0; i < size * PARTS; i++) {
              a[t][i / PARTS] += parts[t][i];
            }
            for (int i = 0; i < size; i++) {
              diagonal += a[t][i] * a[t][i] / size;
            }
          }
          for (int i = 0; i < size; i++) {
            double gradient = 1e-3 * diagonal * (m[i] - 1);
            for (int t = 0; t < rows; t++) {
              double error = -y[t];
              for (int j = 0; j < size; j++) {
                error += a[t][j] * m[j];
              }
              gradient += a[t][i] * error;
            }
            assertThat(gradient).isCloseTo(0, within(1e-4)); // products are given in float
          }
        });
  }

  private static void addRows(
      LeastSquares equations, double[][] parts, double[] y, int from, int to) {
    int width = parts[0].length;
    float[] gram = new float[width * width];
    float[] right = new float[width];
    for (int t = from; t < to; t++) {
      for (int i = 0; i < width; i++) {
        right[i] += (float) (parts[t][i] * y[t]);
        for (int j = 0; j < width; j++) {
          gram[i * width + j] += (float) (parts[t][i] * parts[t][j]);
        }
      }
    }
    equations.add(gram, right, PARTS);
  }

  @Test
  void whatIsNotDeterminedIsAbandoned() {
    LeastSquares nothing = new LeastSquares(1);
    nothing.add(new float[] {0}, new float[] {0}, 1);
    assertThat(nothing.solve()).isNull();
    LeastSquares wild = new LeastSquares(2);
    wild.add(new float[] {1, 0, 0, 1}, new float[] {11, 1}, 1);
    assertThat(wild.solve()).isNull();
    LeastSquares negative = new LeastSquares(2);
    negative.add(new float[] {1, 0, 0, 1}, new float[] {-9, 1}, 1);
    assertThat(negative.solve()[0]).isCloseTo(-9, within(0.02));
  }
}
