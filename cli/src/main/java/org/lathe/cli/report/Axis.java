package org.lathe.cli.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A linear axis with round ticks.
 *
 * @param low value at the start of the axis, a tick
 * @param high value at its end, a tick
 * @param step distance of ticks: 1, 2 or 5 times a power of ten
 */
record Axis(double low, double high, double step) {
  /** An axis of about {@code numTicks} ticks that covers both values. */
  static Axis covering(double smallest, double largest, int numTicks) {
    double span = largest - smallest;
    if (!(span > 0)) {
      span = Math.max(1, Math.abs(largest));
    }
    double raw = span / numTicks;
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    double leading = raw / power;
    double step = power * (leading <= 1 ? 1 : leading <= 2 ? 2 : leading <= 5 ? 5 : 10);
    double low = Math.floor(smallest / step + 1e-9) * step;
    double high = Math.ceil(largest / step - 1e-9) * step;
    return new Axis(low, high > low ? high : low + step, step);
  }

  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    long numSteps = Math.round((high - low) / step);
    for (long i = 0; i <= numSteps; i++) {
      // by multiplication, so that 0.1 + 0.1 + 0.1 does not show as 0.30000000000000004
      ticks.add(Math.rint(low / step + i) * step);
    }
    return ticks;
  }

  /** Where a value lies between start (0) and end (1). */
  double share(double value) {
    return (value - low) / (high - low);
  }
}
