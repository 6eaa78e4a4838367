package org.lathe.cli.results;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/**
 * Keeps prose and data together: the tables of docs/results.md between {@code <!-- table: NAME -->}
 * and {@code <!-- end -->} are made from the rows of docs/results/results.jsonl whose experiment is
 * NAME. {@code <!-- cross: NAME METRIC -->} shows the test rows of one metric by system and memory.
 * Everything outside the markers is left alone.
 */
public final class ResultsTable {
  private static final Pattern BLOCK =
      Pattern.compile(
          "(<!-- (table|cross): ([A-Za-z0-9._-]+)( [A-Za-z0-9@%._-]+)? -->\\n)(.*?)(<!-- end -->)",
          Pattern.DOTALL);

  private static final String CROSS = "cross";
  private static final String CROSS_SPLIT = "test";

  private static final ObjectMapper ROWS =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final Storage storage;
  private final Path markdownFile;
  private final String markdown;
  private final List<ResultRow> rows;

  private ResultsTable(Storage storage, Path markdownFile, String markdown, List<ResultRow> rows) {
    this.storage = storage;
    this.markdownFile = markdownFile;
    this.markdown = markdown;
    this.rows = rows;
  }

  /**
   * @param docs the directory with results.md and results/results.jsonl
   * @throws CorruptFileException when a line is not a row, or the markers do not pair
   */
  public static ResultsTable read(Storage storage, Path docs) {
    Path markdownFile = docs.resolve("results.md");
    Path rowsFile = docs.resolve("results").resolve("results.jsonl");
    List<ResultRow> rows = new ArrayList<>();
    int lineNumber = 0;
    for (String line : text(storage, rowsFile).lines().toList()) {
      lineNumber++;
      if (!line.isBlank()) {
        rows.add(row(line, rowsFile, lineNumber));
      }
    }
    return new ResultsTable(storage, markdownFile, text(storage, markdownFile), rows);
  }

  public int numRows() {
    return rows.size();
  }

  /** Whether the tables in the file are those that the rows make. */
  public boolean agrees() {
    return regenerated().equals(markdown);
  }

  /** Replaces the file by one with fresh tables. */
  public void write() {
    Path staging = markdownFile.resolveSibling(".results.md.staging");
    try {
      storage.delete(staging);
      try (OutputStream out = storage.create(staging)) {
        out.write(regenerated().getBytes(StandardCharsets.UTF_8));
      }
      storage.force(staging);
      storage.move(staging, markdownFile);
    } catch (IOException e) {
      throw new FailedException("cannot write " + markdownFile + ": " + e.getMessage(), e);
    }
  }

  /** The text of results.md as the rows want it. */
  String regenerated() {
    List<String> found = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(markdown);
    StringBuilder result = new StringBuilder();
    while (blocks.find()) {
      String experiment = Objects.requireNonNull(blocks.group(3));
      String metric = Objects.requireNonNullElse(blocks.group(4), "").strip();
      boolean cross = CROSS.equals(blocks.group(2));
      if (!cross) {
        found.add(experiment);
      }
      String table = cross ? cross(experiment, metric) : table(experiment);
      blocks.appendReplacement(
          result, Matcher.quoteReplacement(blocks.group(1) + table + blocks.group(6)));
    }
    blocks.appendTail(result);
    for (ResultRow row : rows) {
      if (!found.contains(row.experiment())) {
        throw new CorruptFileException(
            "results.jsonl has the experiment '"
                + row.experiment()
                + "' but "
                + markdownFile
                + " has no '<!-- table: "
                + row.experiment()
                + " -->' followed by '<!-- end -->'; add the two lines where its table belongs");
      }
    }
    return result.toString();
  }

  private String cross(String experiment, String metric) {
    return new CrossTable(
            rows.stream()
                .filter(row -> row.experiment().equals(experiment))
                .filter(row -> row.metric().equals(metric) && row.split().equals(CROSS_SPLIT))
                .toList())
        .markdown();
  }

  private String table(String experiment) {
    List<ResultRow> own = rows.stream().filter(row -> row.experiment().equals(experiment)).toList();
    if (own.isEmpty()) {
      return "*No figures yet.*\n";
    }
    StringBuilder table =
        new StringBuilder()
            .append("| system | dataset | split | memory | metric | value | seed | note |\n")
            .append("|---|---|---|---|---|---:|---:|---|\n");
    for (ResultRow row : own) {
      table
          .append("| ")
          .append(
              String.join(
                  " | ",
                  cell(row.system()),
                  cell(row.dataset()),
                  cell(row.split()),
                  cell(row.memory()),
                  cell(row.metric()),
                  number(row.value()),
                  Long.toString(row.seed()),
                  cell(Objects.requireNonNullElse(row.note(), ""))))
          .append(" |\n");
    }
    return table.toString();
  }

  /** Four significant digits where they matter, whole numbers whole, tiny ones with exponent. */
  static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      return Long.toString((long) value);
    }
    double size = Math.abs(value);
    if (size < 1e-3 || size >= 1e9) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    int decimals = size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  static String cell(String text) {
    return text.replace("|", "\\|").replaceAll("\\s*\\R\\s*", " ");
  }

  private static ResultRow row(String line, Path file, int lineNumber) {
    try {
      return ROWS.readValue(line, ResultRow.class);
    } catch (JsonProcessingException e) {
      String problem =
          e.getCause() instanceof CorruptFileException refused
              ? String.valueOf(refused.getMessage())
              : e.getOriginalMessage();
      throw new CorruptFileException(
          file + ", line " + lineNumber + ": not a result row: " + problem, e);
    }
  }

  private static String text(Storage storage, Path file) {
    if (!storage.exists(file)) {
      throw new FailedException("no " + file + "; run this in the checkout of Lathe");
    }
    try (InputStream in = storage.open(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new FailedException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
