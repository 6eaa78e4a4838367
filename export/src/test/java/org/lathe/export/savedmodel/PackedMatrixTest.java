package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

final class PackedMatrixTest {
  private static final int NUM_ROWS = 30;
  private static final int NUM_COLUMNS = 20;

  /** Normal values, times a factor that grows along rows or along columns. */
  private static float[] matrix(boolean linesAreRows) {
    Random random = new Random(3);
    float[] values = new float[NUM_ROWS * NUM_COLUMNS];
    for (int i = 0; i < values.length; i++) {
      int line = linesAreRows ? i / NUM_COLUMNS : i % NUM_COLUMNS;
      values[i] = (float) (random.nextGaussian() * (1 + line));
    }
    return values;
  }

  private static PackedMatrix packed(float... values) {
    return PackedMatrix.of(
        new Weights.Array(Shape.of(values.length / NUM_COLUMNS, NUM_COLUMNS), values));
  }

  @Test
  void factorsFollowTheLinesThatDiffer() {
    assertThat(packed(matrix(true)).byRow()).isTrue();
    assertThat(packed(matrix(true)).factors()).hasSize(NUM_ROWS);
    assertThat(packed(matrix(false)).byRow()).isFalse();
    assertThat(packed(matrix(false)).factors()).hasSize(NUM_COLUMNS);
  }

  @Test
  void noValueIsOffByMoreThanHalfAStepOfItsLine() {
    for (boolean rows : new boolean[] {true, false}) {
      float[] values = matrix(rows);
      PackedMatrix packed = packed(values);
      float[] unpacked = packed.unpacked();
      double worst = 0;
      for (int i = 0; i < values.length; i++) {
        int line = rows ? i / NUM_COLUMNS : i % NUM_COLUMNS;
        double largest = 0;
        for (int k = 0; k < values.length; k++) {
          if ((rows ? k / NUM_COLUMNS : k % NUM_COLUMNS) == line) {
            largest = Math.max(largest, Math.abs((double) values[k]));
          }
        }
        double step = largest / 127;
        assertThat((double) packed.factors()[line]).isCloseTo(step, within(step));
        worst = Math.max(worst, Math.abs((double) values[i] - unpacked[i]) / step);
      }
      assertThat(worst).isBetween(0.45, 0.5001);
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double size) {
    return org.assertj.core.api.Assertions.within(1e-6 * size);
  }

  @Test
  void zerosAndDeadLinesStayZero() {
    float[] values = matrix(true);
    Arrays.fill(values, 0, NUM_COLUMNS, 0);
    values[NUM_COLUMNS + 4] = 0;
    float[] unpacked = packed(values).unpacked();
    assertThat(Arrays.copyOf(unpacked, NUM_COLUMNS)).containsOnly(0);
    assertThat(unpacked[NUM_COLUMNS + 4]).isZero();
    assertThat(packed(new float[8 * NUM_COLUMNS]).unpacked()).containsOnly(0);
  }

  @Test
  void valuesTooSmallForAFactorOfTheirOwnDoNotWrapRound() {
    float[] values = new float[8 * NUM_COLUMNS];
    Arrays.fill(values, Float.MIN_VALUE * 200);
    values[0] = -values[0];
    float[] unpacked = packed(values).unpacked();
    assertThat(unpacked[0]).isNegative();
    assertThat(unpacked[1]).isPositive();
  }
}
