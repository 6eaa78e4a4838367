package org.lathe.cli.report;

import java.util.List;
import java.util.Map;

/** Line and bar charts as SVG text. Colors come from the page's style, by class c0, c1, ... */
final class Charts {
  static final int NUM_COLORS = 6;

  static final int WIDTH = 720;
  private static final int HEIGHT = 320;
  private static final int LEFT = 64;
  private static final int RIGHT = 16;
  private static final int TOP = 12;
  private static final int BOTTOM = 44;
  private static final int BAR_HEIGHT = 26;
  private static final int BAR_LABEL_WIDTH = 230;
  private static final int BAR_VALUE_WIDTH = 80;

  private Charts() {}

  /** Curves in one coordinate system, with a legend below. */
  static String lines(String title, String xLabel, String yLabel, List<Series> series) {
    double[] x = extent(series, true);
    double[] y = extent(series, false);
    if (x.length == 0) {
      return "<p class=\"none\">No points to draw.</p>\n";
    }
    Axis xAxis = Axis.covering(x[0], x[1], 8);
    Axis yAxis = Axis.covering(y[0], y[1], 6);
    StringBuilder svg = open(title, WIDTH, HEIGHT);
    axes(svg, xAxis, yAxis, xLabel, yLabel);
    for (int i = 0; i < series.size(); i++) {
      curve(svg, series.get(i), i % NUM_COLORS, xAxis, yAxis);
    }
    svg.append("</svg>\n<div class=\"legend\">");
    for (int i = 0; i < series.size(); i++) {
      svg.append("<span><i class=\"c").append(i % NUM_COLORS).append("\"></i>");
      svg.append(Html.escape(series.get(i).name())).append("</span>");
    }
    return svg.append("</div>\n").toString();
  }

  /** One horizontal bar per entry, from zero. */
  static String bars(String title, Map<String, Double> values) {
    double largest = 0;
    for (double value : values.values()) {
      largest = Double.isFinite(value) ? Math.max(largest, value) : largest;
    }
    double room = WIDTH - BAR_LABEL_WIDTH - BAR_VALUE_WIDTH;
    StringBuilder svg = open(title, WIDTH, values.size() * BAR_HEIGHT + 8);
    double top = 4;
    for (Map.Entry<String, Double> entry : values.entrySet()) {
      double value = entry.getValue();
      double width = value > 0 && Double.isFinite(value) ? room * value / largest : 0;
      double middle = top + BAR_HEIGHT / 2.0 + 4;
      text(svg, "label end", BAR_LABEL_WIDTH - 10, middle, entry.getKey());
      svg.append("<rect class=\"c0\" x=\"").append(BAR_LABEL_WIDTH);
      svg.append("\" y=\"").append(Html.at(top + 4)).append("\" width=\"").append(Html.at(width));
      svg.append("\" height=\"").append(BAR_HEIGHT - 8).append("\" rx=\"2\"/>");
      text(svg, "label", BAR_LABEL_WIDTH + width + 8, middle, Html.number(value));
      top += BAR_HEIGHT;
    }
    return svg.append("</svg>\n").toString();
  }

  /** A chart that is a file of its own must name its format; inside a page it need not. */
  static StringBuilder openFile(String title) {
    return open(" xmlns=\"http://www.w3.org/2000/svg\"", title, WIDTH, HEIGHT);
  }

  static StringBuilder open(String title, int width, int height) {
    return open("", title, width, height);
  }

  private static StringBuilder open(String format, String title, int width, int height) {
    StringBuilder svg = new StringBuilder("<svg").append(format);
    svg.append(" role=\"img\" viewBox=\"0 0 ");
    svg.append(width).append(' ').append(height).append("\" aria-label=\"");
    return svg.append(Html.escape(title)).append("\">");
  }

  static void text(StringBuilder svg, String cssClass, double x, double y, String text) {
    svg.append("<text class=\"").append(cssClass).append("\" x=\"").append(Html.at(x));
    svg.append("\" y=\"").append(Html.at(y)).append("\">").append(Html.escape(text));
    svg.append("</text>");
  }

  /** The coordinate system of {@link #lines}, in a picture of its size. */
  static void axes(StringBuilder svg, Axis x, Axis y, String xLabel, String yLabel) {
    for (double tick : y.ticks()) {
      double at = yAt(y, tick);
      line(svg, "grid", LEFT, at, WIDTH - RIGHT, at);
      text(svg, "tick end", LEFT - 8, at + 4, Html.number(tick));
    }
    for (double tick : x.ticks()) {
      double at = xAt(x, tick);
      line(svg, "axis", at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 5);
      text(svg, "tick middle", at, HEIGHT - BOTTOM + 18, Html.number(tick));
    }
    line(svg, "axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM);
    text(svg, "label middle", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 6, xLabel);
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    svg.append("<text class=\"label middle\" transform=\"translate(14 ").append(Html.at(middle));
    svg.append(") rotate(-90)\">").append(Html.escape(yLabel)).append("</text>");
  }

  private static void curve(StringBuilder svg, Series series, int color, Axis x, Axis y) {
    StringBuilder path = new StringBuilder();
    boolean drawing = false;
    for (int i = 0; i < series.xs().length; i++) {
      double value = series.ys()[i];
      if (Double.isFinite(value)) {
        path.append(drawing ? 'L' : 'M').append(Html.at(xAt(x, series.xs()[i])));
        path.append(' ').append(Html.at(yAt(y, value)));
      }
      drawing = Double.isFinite(value);
    }
    svg.append("<path class=\"line c").append(color).append("\" d=\"").append(path).append("\"/>");
    if (series.xs().length == 1 && drawing) {
      svg.append("<circle class=\"c").append(color).append("\" r=\"3\" cx=\"");
      svg.append(Html.at(xAt(x, series.xs()[0]))).append("\" cy=\"");
      svg.append(Html.at(yAt(y, series.ys()[0]))).append("\"/>");
    }
  }

  static void line(StringBuilder svg, String cssClass, double x1, double y1, double x2, double y2) {
    svg.append("<line class=\"").append(cssClass).append("\" x1=\"").append(Html.at(x1));
    svg.append("\" y1=\"").append(Html.at(y1)).append("\" x2=\"").append(Html.at(x2));
    svg.append("\" y2=\"").append(Html.at(y2)).append("\"/>");
  }

  static double xAt(Axis axis, double value) {
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT);
  }

  static double yAt(Axis axis, double value) {
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM);
  }

  /** Smallest and largest of the finite points; empty when there are none. */
  private static double[] extent(List<Series> series, boolean horizontal) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Series one : series) {
      for (int i = 0; i < one.xs().length; i++) {
        if (Double.isFinite(one.xs()[i]) && Double.isFinite(one.ys()[i])) {
          double value = horizontal ? one.xs()[i] : one.ys()[i];
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
    return low <= high ? new double[] {low, high} : new double[0];
  }
}
