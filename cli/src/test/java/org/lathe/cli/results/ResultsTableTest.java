package org.lathe.cli.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class ResultsTableTest {
  private static final String ROW =
      "{\"experiment\":\"demo\",\"system\":\"a|b\",\"dataset\":\"java\",\"split\":\"test\","
          + "\"memory\":\"local\",\"metric\":\"perplexity\",\"value\":12.3456,\"seed\":1,"
          + "\"command\":\"lathe demo\",\"commit\":\"abc\",\"seconds\":3.5,\"note\":\"w 128\"}\n";

  @TempDir Path docs;

  @BeforeEach
  void files() throws IOException {
    Files.createDirectories(docs.resolve("results"));
    Files.writeString(
        docs.resolve("results.md"), "before\n<!-- table: demo -->\nold\n<!-- end -->\nafter\n");
    rows(ROW);
  }

  private void rows(String text) throws IOException {
    Files.writeString(docs.resolve("results/results.jsonl"), text);
  }

  private ResultsTable read() {
    return ResultsTable.read(LocalStorage.INSTANCE, docs);
  }

  /** The one that keeps the project's own prose and data together. */
  @Test
  void theProjectsTablesAgree() {
    Path own = Path.of("..", "docs").toAbsolutePath().normalize();
    assertThat(ResultsTable.read(LocalStorage.INSTANCE, own).agrees())
        .as("docs/results.md agrees with results.jsonl; run ./lathe results --write")
        .isTrue();
  }

  @Test
  void writesTheTableAndNothingElse() throws IOException {
    assertThat(read().agrees()).isFalse();
    read().write();
    assertThat(Files.readString(docs.resolve("results.md")))
        .startsWith("before\n<!-- table: demo -->\n| system |")
        .contains("| a\\|b | java | test | local | perplexity | 12.35 | 1 | w 128 |\n")
        .endsWith("<!-- end -->\nafter\n")
        .doesNotContain("old");
    assertThat(read().agrees()).isTrue();
    rows(ROW.replace("12.3456", "12.4456"));
    assertThat(read().agrees()).isFalse();
  }

  @Test
  void crossTablesShowOneMetricBySystemAndMemory() throws IOException {
    Files.writeString(
        docs.resolve("results.md"),
        "<!-- cross: demo perplexity -->\n<!-- end -->\n<!-- table: demo -->\n<!-- end -->\n");
    rows(
        ROW
            + ROW.replace("12.3456", "16.3456").replace("\"seed\":1", "\"seed\":2")
            + ROW.replace("a|b", "c").replace("12.3456", "20").replace("local", "none")
            + ROW.replace("perplexity", "recall").replace("12.3456", "99")
            + ROW.replace("\"test\"", "\"valid\"").replace("12.3456", "98"));
    read().write();
    assertThat(Files.readString(docs.resolve("results.md")))
        .startsWith(
            """
            <!-- cross: demo perplexity -->
            | system | dataset | none | local |
            |---|---|---:|---:|
            | a\\|b | java |  | 14.35 ± 2.828 |
            | c | java | 20 |  |
            <!-- end -->
            """);
    assertThat(read().agrees()).isTrue();
  }

  @Test
  void severalMetricsStandSideBySide() throws IOException {
    Files.writeString(
        docs.resolve("results.md"),
        "<!-- cross: demo speedup perplexity -->\n<!-- end -->\n<!-- table: demo -->\n<!-- end -->\n");
    rows(
        ROW
            + ROW.replace("perplexity", "speedup").replace("12.3456", "2")
            + ROW.replace("12.3456", "16.3456").replace("\"seed\":1", "\"seed\":2")
            + ROW.replace("a|b", "c").replace("12.3456", "20"));
    read().write();
    assertThat(Files.readString(docs.resolve("results.md")))
        .startsWith(
            """
            <!-- cross: demo speedup perplexity -->
            | system | dataset | speedup | perplexity |
            |---|---|---:|---:|
            | a\\|b | java | 2 | 14.35 ± 2.828 |
            | c | java |  | 20 |
            <!-- end -->
            """);
  }

  @Test
  void aPictureHasAPointForEachSystemAndIsCompared() throws IOException {
    Files.writeString(
        docs.resolve("results.md"),
        "<!-- picture: demo java speedup perplexity -->\n<!-- end -->\n"
            + "<!-- table: demo -->\n<!-- end -->\n");
    rows(
        ROW.replace("a|b", "dense")
            + ROW.replace("a|b", "no speed")
            + ROW.replace("a|b", "slim <2>")
            + ROW.replace("a|b", "slim <2>")
                .replace("12.3456", "14.3456")
                .replace("\"seed\":1", "\"seed\":2")
            + ROW.replace("a|b", "slim <2>")
                .replace("perplexity", "speedup")
                .replace("12.3456", "2"));
    assertThat(read().agrees()).isFalse();
    read().write();
    assertThat(read().agrees()).isTrue();
    assertThat(Files.readString(docs.resolve("results.md")))
        .contains("![perplexity against speedup on java](results/demo-java.svg)\n");
    Path picture = docs.resolve("results/demo-java.svg");
    assertThat(Files.readString(picture))
        .startsWith("<svg xmlns=")
        .contains(">dense</text>", ">slim &lt;2&gt;</text>")
        .doesNotContain("no speed")
        // the reference stands at 1, in the middle of 0 to 2, and only two seeds have a bar
        .contains("cx=\"384.0\"", "cx=\"704.0\"")
        .containsOnlyOnce("class=\"spread\"");
    Files.delete(picture);
    assertThat(read().agrees()).isFalse();
  }

  @Test
  void badRowsNameTheirLine() throws IOException {
    rows(ROW + ROW.replace("\"local\"", "\"locl\""));
    assertThatThrownBy(this::read)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 2")
        .hasMessageContaining("locl");
    rows(ROW.replace("\"seed\":1,", ""));
    assertThatThrownBy(this::read).hasMessageContaining("line 1").hasMessageContaining("seed");
    rows(ROW.replace("\"note\"", "\"notes\":1,\"note\""));
    assertThatThrownBy(this::read).hasMessageContaining("notes");
  }

  @Test
  void aRowWithoutATableIsNotLost() throws IOException {
    rows(ROW.replace("\"demo\"", "\"other\""));
    assertThatThrownBy(() -> read().agrees()).hasMessageContaining("table: other");
  }

  @Test
  void numbersKeepMeaningfulDigits() {
    assertThat(ResultsTable.number(12.3456)).isEqualTo("12.35");
    assertThat(ResultsTable.number(2)).isEqualTo("2");
    assertThat(ResultsTable.number(2.0213)).isEqualTo("2.021");
    assertThat(ResultsTable.number(0.5)).isEqualTo("0.5000");
    assertThat(ResultsTable.number(3.2e-5)).isEqualTo("3.20e-05");
    assertThat(ResultsTable.number(412.345)).isEqualTo("412.3");
  }
}
