package org.lathe.cli.report;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Named points in one coordinate system, such as accuracy against speed, as an SVG file of its own:
 * colors and fonts are inside, on a white ground, so that it looks alike wherever it is shown.
 */
public final class ScatterPicture {
  private static final String STYLE =
      """
      <style>
      svg { background: #fff; font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
      text { font-size: 12px; fill: #1d2329; } .tick { fill: #67717b; font-size: 11px; }
      .end { text-anchor: end; } .middle { text-anchor: middle; }
      .grid { stroke: #dde2e7; } .axis { stroke: #67717b; }
      .point { fill: #2563ab; } .spread { stroke: #2563ab; stroke-width: 1.2; }
      </style>
      """;

  private static final double RADIUS = 4;
  private static final double LABEL_HEIGHT = 13;

  /** Of the longer names; the shorter ones have room to spare. */
  private static final double LABEL_WIDTH = 150;

  /**
   * A point.
   *
   * @param name beside it
   * @param spread half the height of its error bar, 0 for none
   */
  public record Point(String name, double x, double y, double spread) {}

  private ScatterPicture() {}

  /**
   * The file's text.
   *
   * @param points at least one, finite
   */
  public static String draw(String title, String xLabel, String yLabel, List<Point> points) {
    Preconditions.checkArgument(!points.isEmpty(), "%s has no points", title);
    Axis x = Axis.covering(0, points.stream().mapToDouble(Point::x).max().orElseThrow(), 8);
    Axis y =
        Axis.covering(
            points.stream().mapToDouble(p -> p.y() - p.spread()).min().orElseThrow(),
            points.stream().mapToDouble(p -> p.y() + p.spread()).max().orElseThrow(),
            6);
    StringBuilder svg = Charts.openFile(title);
    svg.append('\n').append(STYLE);
    Charts.axes(svg, x, y, xLabel, yLabel);
    svg.append('\n');
    List<double[]> labels = new ArrayList<>();
    for (Point point : points.stream().sorted(Comparator.comparingDouble(Point::y)).toList()) {
      mark(svg, point, x, y, labels);
    }
    return svg.append("</svg>\n").toString();
  }

  private static void mark(StringBuilder svg, Point point, Axis x, Axis y, List<double[]> labels) {
    double atX = Charts.xAt(x, point.x());
    double atY = Charts.yAt(y, point.y());
    if (point.spread() > 0) {
      Charts.line(
          svg,
          "spread",
          atX,
          Charts.yAt(y, point.y() - point.spread()),
          atX,
          Charts.yAt(y, point.y() + point.spread()));
    }
    svg.append("<circle class=\"point\" r=\"").append(Html.at(RADIUS)).append("\" cx=\"");
    svg.append(Html.at(atX)).append("\" cy=\"").append(Html.at(atY)).append("\"/>");
    // near the right border a name stands before its point
    boolean before = atX > Charts.WIDTH - LABEL_WIDTH;
    double[] label = {before ? atX - 2 * RADIUS : atX + 2 * RADIUS, atY + RADIUS};
    // from the lowest point up, a name that would lie on another one moves above it
    boolean moved = true;
    while (moved) {
      moved = false;
      for (double[] other : labels) {
        if (Math.abs(other[0] - label[0]) < LABEL_WIDTH
            && Math.abs(other[1] - label[1]) < LABEL_HEIGHT) {
          label[1] = other[1] - LABEL_HEIGHT;
          moved = true;
        }
      }
    }
    labels.add(label);
    Charts.text(svg, before ? "label end" : "label", label[0], label[1], point.name());
    svg.append('\n');
  }
}
