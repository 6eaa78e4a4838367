package org.lathe.cli.workflow;

import java.util.Arrays;
import org.lathe.cli.report.Series;

/** The values of one metric by step, as they were written. */
final class Curve {
  /** A chart is some hundred pixels wide. */
  private static final int MAX_POINTS = 1_000;

  private double[] steps = new double[16];
  private double[] values = new double[16];
  private int size;

  void add(long step, double value) {
    if (size == steps.length) {
      steps = Arrays.copyOf(steps, 2 * size);
      values = Arrays.copyOf(values, 2 * size);
    }
    steps[size] = step;
    values[size] = value;
    size++;
  }

  /** The last value; a curve has at least one. */
  double last() {
    return values[size - 1];
  }

  long lastStep() {
    return (long) steps[size - 1];
  }

  /** Evenly picked points, the first and the last among them. */
  Series series(String name) {
    int count = Math.min(size, MAX_POINTS);
    double[] xs = new double[count];
    double[] ys = new double[count];
    for (int i = 0; i < count; i++) {
      int index = count == size ? i : (int) ((long) i * (size - 1) / (count - 1));
      xs[i] = steps[index];
      ys[i] = values[index];
    }
    return new Series(name, xs, ys);
  }
}
