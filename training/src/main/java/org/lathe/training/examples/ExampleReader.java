package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Ints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;

/**
 * Reads labelled texts from tables: TSV, CSV (by the file's name), either of them packed with gzip.
 * Text must be UTF-8; every row has as many columns as the first.
 */
public final class ExampleReader {
  /** More different labels mean that the column holds something else. */
  static final int MAX_CLASSES = 10_000;

  /** Rows that a known task may leave out: QQP has a handful of broken ones in 400,000. */
  private static final int MAX_SKIPPED = 10;

  /** The same of a large file, as a share. */
  private static final double MAX_SKIPPED_SHARE = 0.01;

  /** How much of a field an error message shows. */
  private static final int MAX_SHOWN = 60;

  private final Storage storage;
  private final TableLimits limits;

  public ExampleReader(Storage storage) {
    this(storage, TableLimits.DEFAULT);
  }

  ExampleReader(Storage storage, TableLimits limits) {
    this.storage = storage;
    this.limits = limits;
  }

  /**
   * The classes of a task of one's own: the different labels of its files, best of the train set.
   *
   * @param files at least one
   * @throws CorruptFileException as {@link #read}, when a row has no label, and when there are less
   *     than two labels or more than 10,000
   */
  public LabelSet readLabels(List<Path> files, TaskColumns columns) {
    Preconditions.checkArgument(columns.label() != null, "no label column in %s", columns);
    Set<String> names = new LinkedHashSet<>();
    files.forEach(file -> addLabels(file, columns, names));
    if (names.size() < 2) {
      throw new CorruptFileException(
          "column %s of %s has the labels %s; expected at least two different ones."
              .formatted(columns.label(), names(files), shown(names.toString())));
    }
    return LabelSet.sorted(names);
  }

  private void addLabels(Path file, TaskColumns columns, Set<String> names) {
    try (TableReader table = open(file)) {
      TableRow row = first(table, file);
      int label = place(Objects.requireNonNull(columns.label()), columns, row, file);
      int width = row.fields().size();
      for (row = columns.hasHeader() ? table.next() : row; row != null; row = table.next()) {
        checkWidth(row, width, file);
        String name = row.fields().get(label).strip();
        if (name.isEmpty()) {
          throw new CorruptFileException(
              "line %d of %s has no label in column %d; add it, or leave the row out."
                  .formatted(row.line(), file, label + 1));
        }
        names.add(name);
        if (names.size() > MAX_CLASSES) {
          throw new CorruptFileException(
              "column %s of %s has more than %d different labels up to line %d; is it the label column?"
                  .formatted(columns.label(), file, MAX_CLASSES, row.line()));
        }
      }
    }
  }

  private static String names(List<Path> files) {
    return files.stream().map(Path::toString).collect(Collectors.joining(", "));
  }

  /**
   * Reads a file of a known task, in one of the layouts that it is found in.
   *
   * @throws CorruptFileException as for a task of one's own, and when the columns are not the
   *     task's
   */
  public Examples read(Path file, TaskPreset preset) {
    Preconditions.checkArgument(preset.kind() != TaskKind.SPAN, "%s is no table", preset);
    try (TableReader table = open(file)) {
      TableRow row = first(table, file);
      TaskColumns columns = preset.columns(row.fields());
      if (columns == null) {
        throw new CorruptFileException(
            "line %d of %s has the columns %s; %s needs %s."
                .formatted(
                    row.line(),
                    file,
                    shown(row.fields().toString()),
                    preset.word(),
                    preset.expectedColumns()));
      }
      return read(
          table, row, file, columns, preset.kind(), preset.labels(), preset.skipsBrokenRows());
    }
  }

  /**
   * Reads a file of a task of one's own.
   *
   * @param kind CLASSIFICATION or REGRESSION
   * @param labels the classes, see {@link #readLabels}; null for regression
   * @throws CorruptFileException when the file is missing, passes a limit, is not UTF-8, has no
   *     examples, lacks a column, or has a row that is too short or too long, without text, or with
   *     a label that is none
   * @throws org.lathe.graphs.errors.FailedException when it cannot be read
   */
  public Examples read(Path file, TaskColumns columns, TaskKind kind, @Nullable LabelSet labels) {
    try (TableReader table = open(file)) {
      return read(table, first(table, file), file, columns, kind, labels, false);
    }
  }

  private static Examples read(
      TableReader table,
      TableRow first,
      Path file,
      TaskColumns columns,
      TaskKind kind,
      @Nullable LabelSet labels,
      boolean skipsBrokenRows) {
    int text = place(columns.text(), columns, first, file);
    int secondText = placeOrNone(columns.secondText(), columns, first, file);
    int label = placeOrNone(columns.label(), columns, first, file);
    int id = placeOrNone(columns.id(), columns, first, file);
    int width = first.fields().size();
    List<Example> examples = new ArrayList<>();
    int numSkipped = 0;
    TableRow row = columns.hasHeader() ? table.next() : first;
    for (; row != null; row = table.next()) {
      if (skipsBrokenRows && row.fields().size() != width) {
        numSkipped++;
        continue;
      }
      checkWidth(row, width, file);
      examples.add(
          new Example(
              id < 0 ? Integer.toString(examples.size()) : row.fields().get(id),
              row.fields().get(text),
              secondText < 0 ? null : row.fields().get(secondText),
              label < 0 ? Double.NaN : labelValue(row, label, labels, file)));
    }
    if (numSkipped > Math.max(MAX_SKIPPED, MAX_SKIPPED_SHARE * examples.size())) {
      throw new CorruptFileException(
          "%d of %d rows of %s have not %d columns as the first has; expected a few at most."
              .formatted(numSkipped, examples.size() + numSkipped, file, width));
    }
    if (examples.isEmpty()) {
      throw new CorruptFileException("%s has no rows with examples; add some.".formatted(file));
    }
    return new Examples(file.toString(), kind, labels, examples, numSkipped);
  }

  private TableReader open(Path file) {
    return TableReader.open(storage, file, TableFormat.byName(file.toString()), limits);
  }

  private static TableRow first(TableReader table, Path file) {
    TableRow row = table.next();
    if (row == null) {
      throw new CorruptFileException("%s is empty; expected a table.".formatted(file));
    }
    return row;
  }

  private static int placeOrNone(
      @Nullable String column, TaskColumns columns, TableRow first, Path file) {
    return column == null ? -1 : place(column, columns, first, file);
  }

  /** Where a column stands, from 0. */
  private static int place(String column, TaskColumns columns, TableRow first, Path file) {
    if (columns.hasHeader()) {
      int place = first.fields().indexOf(column);
      if (place < 0 || first.fields().lastIndexOf(column) != place) {
        throw new ConfigException(
            "the header of %s, line %d, has the column \"%s\" %s; expected it once among %s."
                .formatted(
                    file,
                    first.line(),
                    column,
                    place < 0 ? "nowhere" : "twice",
                    shown(first.fields().toString())));
      }
      return place;
    }
    Integer number = Ints.tryParse(column);
    if (number == null || number > first.fields().size()) {
      throw new ConfigException(
          "line %d of %s has %d columns, but the task reads column %s; correct its number."
              .formatted(first.line(), file, first.fields().size(), column));
    }
    return number - 1;
  }

  private static double labelValue(TableRow row, int column, @Nullable LabelSet labels, Path file) {
    String word = row.fields().get(column).strip();
    if (labels == null) {
      Double number = Doubles.tryParse(word);
      if (number == null || !Double.isFinite(number)) {
        throw new CorruptFileException(
            "line %d of %s has \"%s\" in column %d; expected a number."
                .formatted(row.line(), file, shown(word), column + 1));
      }
      return number;
    }
    // a model that learned before labels were stripped may know one with spaces
    int index = Math.max(labels.indexOf(row.fields().get(column)), labels.indexOf(word));
    if (index < 0) {
      throw new CorruptFileException(
          "line %d of %s has the label \"%s\" in column %d; expected one of %s."
              .formatted(
                  row.line(), file, shown(word), column + 1, shown(labels.names().toString())));
    }
    return index;
  }

  private static void checkWidth(TableRow row, int width, Path file) {
    if (row.fields().size() != width) {
      throw new CorruptFileException(
          "line %d of %s has %d columns; expected %d as in the first line."
              .formatted(row.line(), file, row.fields().size(), width));
    }
  }

  private static String shown(String text) {
    return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
  }
}
