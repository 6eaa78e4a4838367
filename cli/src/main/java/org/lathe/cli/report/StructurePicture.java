package org.lathe.cli.report;

import java.util.List;

/**
 * What pruning kept, as a picture: a row per layer, the top layer on top as in papers; heads as
 * squares, feed-forward units as a strip; what is gone is drawn faint.
 */
final class StructurePicture {
  private static final int WIDTH = 720;
  private static final int ROW_HEIGHT = 34;
  private static final int HEADS_LEFT = 84;
  private static final int SQUARE = 18;
  private static final int GAP = 4;
  private static final int HEADS_WIDTH = 210;
  private static final int COUNT_WIDTH = 96;
  private static final int STRIP_LEFT = HEADS_LEFT + HEADS_WIDTH + 16;

  /** A strip is drawn in at most this many pieces; one stands for several units of a wide layer. */
  private static final int MAX_PIECES = 160;

  private StructurePicture() {}

  static String draw(List<LayerStructure> layers) {
    int height = layers.size() * ROW_HEIGHT + 26;
    StringBuilder svg = Charts.open("kept structure per layer", WIDTH, height);
    Charts.text(svg, "tick", HEADS_LEFT, 14, "attention heads");
    Charts.text(svg, "tick", STRIP_LEFT, 14, "feed-forward units");
    for (int row = 0; row < layers.size(); row++) {
      int layer = layers.size() - 1 - row;
      double top = 26 + row * (double) ROW_HEIGHT;
      Charts.text(svg, "label", 4, top + 14, "layer " + layer);
      heads(svg, layers.get(layer), top);
      strip(svg, layers.get(layer), top);
    }
    return svg.append("</svg>\n").toString();
  }

  private static void heads(StringBuilder svg, LayerStructure layer, double top) {
    boolean[] kept = layer.headsKept();
    if (layer.numHeadsKept() == 0) {
      absent(svg, HEADS_LEFT, HEADS_WIDTH, top, "attention absent");
      return;
    }
    double pitch = Math.min(SQUARE + GAP, (double) HEADS_WIDTH / kept.length);
    for (int head = 0; head < kept.length; head++) {
      rectangle(svg, HEADS_LEFT + head * pitch, top, pitch * SQUARE / (SQUARE + GAP), kept[head]);
    }
  }

  private static void strip(StringBuilder svg, LayerStructure layer, double top) {
    boolean[] kept = layer.intermediateKept();
    int width = WIDTH - STRIP_LEFT - COUNT_WIDTH;
    if (layer.numIntermediateKept() == 0) {
      absent(svg, STRIP_LEFT, width, top, "feed-forward absent");
      return;
    }
    int numPieces = Math.min(MAX_PIECES, kept.length);
    double pieceWidth = (double) width / numPieces;
    rectangle(svg, STRIP_LEFT, top, width, false);
    for (int piece = 0; piece < numPieces; piece++) {
      int from = (int) ((long) piece * kept.length / numPieces);
      int to = (int) ((long) (piece + 1) * kept.length / numPieces);
      int numKept = 0;
      for (int unit = from; unit < to; unit++) {
        numKept += kept[unit] ? 1 : 0;
      }
      if (numKept > 0) {
        svg.append("<rect class=\"kept\" x=\"").append(Html.at(STRIP_LEFT + piece * pieceWidth));
        svg.append("\" y=\"").append(Html.at(top)).append("\" width=\"");
        svg.append(Html.at(pieceWidth)).append("\" height=\"").append(SQUARE);
        svg.append("\" opacity=\"").append(Html.at((double) numKept / (to - from)));
        svg.append("\"/>");
      }
    }
    String count = layer.numIntermediateKept() + " / " + kept.length;
    Charts.text(svg, "tick", STRIP_LEFT + width + 8.0, top + 14, count);
  }

  private static void rectangle(
      StringBuilder svg, double left, double top, double width, boolean kept) {
    svg.append("<rect class=\"").append(kept ? "kept" : "gone").append("\" x=\"");
    svg.append(Html.at(left)).append("\" y=\"").append(Html.at(top)).append("\" width=\"");
    svg.append(Html.at(width)).append("\" height=\"").append(SQUARE).append("\" rx=\"2\"/>");
  }

  private static void absent(
      StringBuilder svg, double left, double width, double top, String words) {
    svg.append("<rect class=\"absent\" x=\"").append(Html.at(left)).append("\" y=\"");
    svg.append(Html.at(top)).append("\" width=\"").append(Html.at(width));
    svg.append("\" height=\"").append(SQUARE).append("\" rx=\"2\"/>");
    Charts.text(svg, "tick middle", left + width / 2, top + 13, words);
  }
}
