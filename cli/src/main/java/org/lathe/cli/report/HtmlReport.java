package org.lathe.cli.report;

import com.google.common.base.Preconditions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/**
 * One self-contained page: text, tables, charts, the kept structure. Everything is inside the file;
 * nothing is loaded from elsewhere, no script runs, all text is escaped.
 *
 * <pre>
 * HtmlReport.page("Demo")
 *     .paragraph("Two models on Java source text.")
 *     .table("Perplexity", List.of("system", "value"), rows)
 *     .lineChart("Training loss", "step", "nats per token", series)
 *     .write(storage, Path.of("demo/report.html"));
 * </pre>
 */
public final class HtmlReport {
  private static final String STYLE =
      """
      :root { color-scheme: light dark; --back: #fff; --text: #1d2329; --faint: #67717b;
        --rule: #dde2e7; --box: #f5f7f9; --c0: #2563ab; --c1: #c2571a; --c2: #2c8254;
        --c3: #8a4fb0; --c4: #a8871a; --c5: #b03a5b; }
      @media (prefers-color-scheme: dark) { :root { --back: #14181c; --text: #e3e8ec;
        --faint: #98a3ad; --rule: #333b43; --box: #1d2329; --c0: #6aa9ee; --c1: #ee9459;
        --c2: #66c292; --c3: #c08fe0; --c4: #dcbb52; --c5: #ea7f9d; } }
      body { background: var(--back); color: var(--text); max-width: 54rem; margin: 2.5rem auto;
        padding: 0 1.25rem 3rem; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
      h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem; }
      h2 { font-size: 1.15rem; margin: 2.25rem 0 .6rem; }
      pre { background: var(--box); padding: .75rem 1rem; overflow-x: auto; font-size: .85rem;
        border-radius: 4px; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; font-size: .92rem; }
      th, td { text-align: left; padding: .35rem 1.4rem .35rem 0; vertical-align: top;
        border-bottom: 1px solid var(--rule); }
      th { color: var(--faint); font-weight: 600; }
      .number { text-align: right; font-variant-numeric: tabular-nums; }
      svg { display: block; width: 100%; height: auto; }
      svg text { font-size: 12px; fill: var(--text); }
      svg .tick { fill: var(--faint); font-size: 11px; }
      svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
      .grid { stroke: var(--rule); } .axis { stroke: var(--faint); }
      .line { fill: none !important; stroke-width: 1.8; stroke-linejoin: round; }
      .c0 { fill: var(--c0); stroke: var(--c0); background: var(--c0); }
      .c1 { fill: var(--c1); stroke: var(--c1); background: var(--c1); }
      .c2 { fill: var(--c2); stroke: var(--c2); background: var(--c2); }
      .c3 { fill: var(--c3); stroke: var(--c3); background: var(--c3); }
      .c4 { fill: var(--c4); stroke: var(--c4); background: var(--c4); }
      .c5 { fill: var(--c5); stroke: var(--c5); background: var(--c5); }
      .kept { fill: var(--c0); } .gone { fill: var(--rule); }
      .absent { fill: none; stroke: var(--rule); stroke-dasharray: 4 3; }
      .legend { font-size: .85rem; padding-left: 64px; }
      .legend span { display: inline-block; margin-right: 1.5rem; white-space: nowrap; }
      .legend i { display: inline-block; width: 1.1rem; height: 3px; margin-right: .45rem;
        vertical-align: middle; }
      .none { color: var(--faint); }
      """;

  private final String title;
  private final StringBuilder body = new StringBuilder();

  private HtmlReport(String title) {
    this.title = title;
  }

  public static HtmlReport page(String title) {
    return new HtmlReport(title);
  }

  public HtmlReport paragraph(String text) {
    body.append("<p>").append(Html.escape(text)).append("</p>\n");
    return this;
  }

  /** Commands to copy, or other text whose lines and blanks matter. */
  public HtmlReport code(String heading, String text) {
    heading(heading);
    body.append("<pre>").append(Html.escape(text)).append("</pre>\n");
    return this;
  }

  /**
   * @param columns headings
   * @param rows cells; numbers are aligned right and written with meaningful digits, anything else
   *     by its toString
   */
  public HtmlReport table(String heading, List<String> columns, List<? extends List<?>> rows) {
    heading(heading);
    body.append("<div class=\"scroll\"><table><thead><tr>");
    for (int i = 0; i < columns.size(); i++) {
      boolean numeric = !rows.isEmpty() && rows.get(0).get(i) instanceof Number;
      body.append(numeric ? "<th class=\"number\">" : "<th>");
      body.append(Html.escape(columns.get(i))).append("</th>");
    }
    body.append("</tr></thead><tbody>\n");
    for (List<?> row : rows) {
      Preconditions.checkArgument(
          row.size() == columns.size(),
          "a row of %s cells under %s columns",
          row.size(),
          columns.size());
      body.append("<tr>");
      row.forEach(this::cell);
      body.append("</tr>\n");
    }
    body.append("</tbody></table></div>\n");
    return this;
  }

  /** Curves over a common horizontal axis, for instance the loss of several runs by step. */
  public HtmlReport lineChart(String heading, String xLabel, String yLabel, List<Series> series) {
    heading(heading);
    body.append(Charts.lines(heading, xLabel, yLabel, series));
    return this;
  }

  /** One bar per entry, in the order of the map. */
  public HtmlReport bars(String heading, Map<String, Double> values) {
    heading(heading);
    body.append(Charts.bars(heading, values));
    return this;
  }

  /** What pruning kept, bottom layer first in the list. */
  public HtmlReport structure(String heading, List<LayerStructure> layers) {
    heading(heading);
    body.append(StructurePicture.draw(layers));
    return this;
  }

  /** The page as text. */
  public String html() {
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
        + Html.escape(title)
        + "</title>\n<style>\n"
        + STYLE
        + "</style>\n</head>\n<body>\n<h1>"
        + Html.escape(title)
        + "</h1>\n"
        + body
        + "</body>\n</html>\n";
  }

  /** Writes the page, replacing an older one at once and whole. */
  public void write(Storage storage, Path file) {
    Path staging = file.resolveSibling("." + file.getFileName() + ".staging");
    try {
      storage.delete(staging);
      try (OutputStream out = storage.create(staging)) {
        out.write(html().getBytes(StandardCharsets.UTF_8));
      }
      storage.force(staging);
      storage.move(staging, file);
    } catch (IOException e) {
      throw new FailedException("cannot write the report " + file + ": " + e.getMessage(), e);
    }
  }

  private void heading(String text) {
    body.append("<h2>").append(Html.escape(text)).append("</h2>\n");
  }

  private void cell(Object value) {
    if (value instanceof Number number) {
      body.append("<td class=\"number\">").append(Html.number(number.doubleValue()));
    } else {
      body.append("<td>").append(Html.escape(String.valueOf(value)));
    }
    body.append("</td>");
  }
}
