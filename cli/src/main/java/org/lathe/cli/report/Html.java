package org.lathe.cli.report;

import java.util.Locale;

/** The two things every piece of the page needs: escaping, and numbers as people write them. */
final class Html {
  private Html() {}

  /** Text that is safe in element content and in quoted attributes. */
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c < ' ' && c != '\n' && c != '\t' ? ' ' : c);
      }
    }
    return escaped.toString();
  }

  /** A coordinate in SVG: one decimal is a tenth of a pixel. */
  static String at(double coordinate) {
    return String.format(Locale.ROOT, "%.1f", coordinate);
  }

  /** A figure with as many digits as carry meaning: 12,288; 3.214; 0.0123. */
  static String number(double value) {
    double size = Math.abs(value);
    if (value == Math.rint(value) && size < 1e12) {
      return String.format(Locale.ROOT, "%,d", (long) value);
    }
    if (size >= 100) {
      return String.format(Locale.ROOT, "%,.1f", value);
    }
    if (size >= 1) {
      return trimmed(String.format(Locale.ROOT, "%.3f", value));
    }
    return size >= 1e-3
        ? trimmed(String.format(Locale.ROOT, "%.4f", value))
        : String.format(Locale.ROOT, "%.2e", value);
  }

  private static String trimmed(String decimals) {
    return decimals.replaceAll("0+$", "").replaceAll("\\.$", "");
  }
}
