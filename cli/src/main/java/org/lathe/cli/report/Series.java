package org.lathe.cli.report;

import com.google.common.base.Preconditions;

/**
 * One line of a chart.
 *
 * @param name in the legend
 * @param xs ascending, for instance steps
 * @param ys one value for each x; values that are not finite interrupt the line
 */
public record Series(String name, double[] xs, double[] ys) {
  public Series {
    Preconditions.checkArgument(
        xs.length == ys.length, "xs has %s values but ys has %s", xs.length, ys.length);
  }
}
