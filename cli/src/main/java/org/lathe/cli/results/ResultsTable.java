package org.lathe.cli.results;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.base.Splitter;
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
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/**
 * Keeps prose and data together: the tables of docs/results.md between {@code <!-- table: NAME -->}
 * and {@code <!-- end -->} are made from the rows of docs/results/results.jsonl whose experiment is
 * NAME. {@code <!-- cross: NAME METRIC -->} shows the test rows of one metric by system and memory,
 * {@code <!-- cross: NAME METRIC METRIC ... -->} those of several metrics side by side, and {@code
 * <!-- picture: NAME DATASET X Y -->} the systems of one dataset as points, metric Y against metric
 * X, in a file results/NAME-DATASET.svg. Everything outside the markers is left alone.
 */
public final class ResultsTable {
  private static final Pattern BLOCK =
      Pattern.compile(
          "(<!-- (table|cross|picture): ([A-Za-z0-9._-]+)((?: [A-Za-z0-9@%._-]+)*) -->\\n)(.*?)(<!-- end -->)",
          Pattern.DOTALL);

  private static final String TABLE = "table";
  private static final String CROSS = "cross";
  private static final String PICTURE = "picture";
  static final String SHOWN_SPLIT = "test";

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
    return regenerated().equals(markdown)
        && pictures().stream()
            .allMatch(
                picture ->
                    storage.exists(file(picture))
                        && text(storage, file(picture)).equals(picture.svg(rows)));
  }

  /** Replaces the file by one with fresh tables, and the pictures. */
  public void write() {
    String fresh = regenerated();
    for (ResultsPicture picture : pictures()) {
      replace(file(picture), picture.svg(rows));
    }
    replace(markdownFile, fresh);
  }

  private void replace(Path file, String text) {
    Path staging = file.resolveSibling("." + file.getFileName() + ".staging");
    try {
      storage.delete(staging);
      try (OutputStream out = storage.create(staging)) {
        out.write(text.getBytes(StandardCharsets.UTF_8));
      }
      storage.force(staging);
      storage.move(staging, file);
    } catch (IOException e) {
      throw new FailedException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  private Path file(ResultsPicture picture) {
    return markdownFile.resolveSibling("results").resolve(picture.fileName());
  }

  private List<ResultsPicture> pictures() {
    List<ResultsPicture> pictures = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(markdown);
    while (blocks.find()) {
      if (PICTURE.equals(blocks.group(2))) {
        pictures.add(
            ResultsPicture.of(Objects.requireNonNull(blocks.group(3)), words(blocks.group(4))));
      }
    }
    return pictures;
  }

  private static List<String> words(@Nullable String text) {
    return Splitter.on(' ').omitEmptyStrings().splitToList(Objects.requireNonNullElse(text, ""));
  }

  /** The text of results.md as the rows want it. */
  String regenerated() {
    List<String> found = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(markdown);
    StringBuilder result = new StringBuilder();
    while (blocks.find()) {
      String experiment = Objects.requireNonNull(blocks.group(3));
      List<String> words = words(blocks.group(4));
      String made =
          switch (Objects.requireNonNull(blocks.group(2))) {
            case CROSS -> cross(experiment, words);
            case PICTURE -> ResultsPicture.of(experiment, words).markdown();
            default -> table(experiment);
          };
      if (TABLE.equals(blocks.group(2))) {
        found.add(experiment);
      }
      blocks.appendReplacement(
          result, Matcher.quoteReplacement(blocks.group(1) + made + blocks.group(6)));
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

  private String cross(String experiment, List<String> metrics) {
    CrossTable table =
        new CrossTable(
            rows.stream()
                .filter(row -> row.experiment().equals(experiment))
                .filter(row -> metrics.contains(row.metric()) && row.split().equals(SHOWN_SPLIT))
                .toList());
    return metrics.size() == 1 ? table.byMemory() : table.byMetric(metrics);
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
