package org.lathe.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.training.files.LocalStorage;

class HtmlReportTest {
  @TempDir Path directory;

  private static HtmlReport example(String name) {
    double[] steps = new double[80];
    double[] losses = new double[80];
    for (int i = 0; i < 80; i++) {
      steps[i] = i * 10;
      losses[i] = 2.6 + 5 * Math.exp(-i / 20.0);
    }
    Map<String, Double> bars = new LinkedHashMap<>();
    bars.put("full, batch 1", 12.4);
    bars.put("slim, batch 1", 5.9);
    boolean[] units = new boolean[384];
    for (int i = 0; i < 150; i++) {
      units[i * 2] = true;
    }
    return HtmlReport.page("Report of " + name)
        .paragraph("A paragraph about " + name + ".")
        .table("Summary", List.of("system", "perplexity"), List.of(List.of(name, 12.3456)))
        .lineChart(
            "Training loss",
            "step",
            "nats per token",
            List.of(new Series(name, steps, losses), new Series("other", steps, steps)))
        .bars("Latency in ms", bars)
        .structure(
            "Kept",
            List.of(
                new LayerStructure(new boolean[] {true, false, true, true}, units),
                new LayerStructure(new boolean[4], new boolean[384])))
        .code("Next", "curl -d '{\"x\": 1}'");
  }

  @Test
  void everythingIsEscaped() {
    String html = example("<script>alert('x')</script>&\"").html();
    assertThat(html).doesNotContain("<script").doesNotContain("alert('x')").contains("&lt;script");
  }

  @Test
  void selfContained() {
    assertThat(example("demo").html())
        .doesNotContain("http:")
        .doesNotContain("https:")
        .doesNotContain("url(")
        .doesNotContain("src=");
  }

  @Test
  void picturesShowWhatWasGiven() {
    String html = example("demo").html();
    assertThat(html).contains("attention absent", "feed-forward absent", "150 / 384", "12.346");
    assertThat(html.split("<path class=\"line", -1)).hasSize(3);
    assertThat(html.split("class=\"gone\"", -1)).hasSize(3); // one head and the strip's ground
  }

  @Test
  void notFinitePointsInterruptTheLine() {
    Series broken = new Series("s", new double[] {0, 1, 2, 3}, new double[] {1, Double.NaN, 2, 3});
    assertThat(Charts.lines("t", "x", "y", List.of(broken))).doesNotContain("NaN");
    Series nothing = new Series("s", new double[] {0}, new double[] {Double.NaN});
    assertThat(Charts.lines("t", "x", "y", List.of(nothing))).contains("No points");
  }

  @Test
  void ticksAreRound() {
    assertThat(Axis.covering(0, 790, 8).ticks()).startsWith(0.0, 100.0).endsWith(800.0);
    assertThat(Axis.covering(0.11, 0.34, 5).ticks()).hasSize(6).startsWith(0.1);
    assertThat(Axis.covering(5, 5, 4).low()).isLessThanOrEqualTo(5);
  }

  @Test
  void writingReplacesWhole() throws IOException {
    Path file = directory.resolve("report.html");
    example("first").write(LocalStorage.INSTANCE, file);
    example("second").write(LocalStorage.INSTANCE, file);
    assertThat(Files.readString(file)).contains("Report of second").endsWith("</html>\n");
    try (var files = Files.list(directory)) {
      assertThat(files).hasSize(1);
    }
  }
}
