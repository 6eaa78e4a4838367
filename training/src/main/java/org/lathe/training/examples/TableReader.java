package org.lathe.training.examples;

import com.google.common.base.Splitter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;

/** The rows of a table; see {@link TableFormat}. Blank lines are no rows. */
final class TableReader implements AutoCloseable {
  private static final Splitter TABS = Splitter.on('\t');

  private final LineReader lines;
  private final Path file;
  private final TableFormat format;
  private final TableLimits limits;

  private TableReader(LineReader lines, Path file, TableFormat format, TableLimits limits) {
    this.lines = lines;
    this.file = file;
    this.format = format;
    this.limits = limits;
  }

  /** Opens a table, see {@link LineReader#open}. */
  static TableReader open(Storage storage, Path file, TableFormat format, TableLimits limits) {
    return new TableReader(LineReader.open(storage, file, limits), file, format, limits);
  }

  /**
   * The next row, or null at the end.
   *
   * @throws CorruptFileException when it passes a limit, is not UTF-8 or quoted wrongly
   */
  @Nullable TableRow next() {
    String line = lines.next();
    while (line != null && withoutReturn(line).isEmpty()) {
      line = lines.next();
    }
    if (line == null) {
      return null;
    }
    long start = lines.lineNumber();
    List<String> fields =
        format == TableFormat.CSV
            ? splitQuoted(line, start)
            : TABS.splitToList(withoutReturn(line));
    checkColumns(fields, start);
    return new TableRow(start, fields);
  }

  @Override
  public void close() {
    lines.close();
  }

  private List<String> splitQuoted(String first, long start) {
    List<String> fields = new ArrayList<>();
    String line = first;
    int position = 0;
    int rowSize = first.length();
    while (true) {
      StringBuilder field = new StringBuilder();
      if (line.startsWith("\"", position)) {
        position++;
        while (true) {
          int quote = line.indexOf('"', position);
          if (quote >= 0 && line.startsWith("\"", quote + 1)) {
            field.append(line, position, quote + 1);
            position = quote + 2;
          } else if (quote >= 0) {
            field.append(line, position, quote);
            position = quote + 1;
            break;
          } else {
            field.append(line, position, line.length()).append('\n');
            line = continuation(start);
            position = 0;
            rowSize += line.length() + 1;
            checkSize(rowSize, start);
          }
        }
        // a carriage return belongs to the line's end, not to a field
        line = line.substring(0, position) + withoutReturn(line.substring(position));
        if (position < line.length() && line.charAt(position) != ',') {
          throw corrupt(start, "text after a closing quotation mark", "a comma or the line's end");
        }
      } else {
        int comma = line.indexOf(',', position);
        field.append(
            comma < 0 ? withoutReturn(line.substring(position)) : line.substring(position, comma));
        position = comma < 0 ? line.length() : comma;
      }
      fields.add(field.toString());
      checkColumns(fields, start);
      if (position >= line.length()) {
        return fields;
      }
      position++;
    }
  }

  private String continuation(long start) {
    String line = lines.next();
    if (line == null) {
      throw corrupt(start, "a quotation mark that is never closed", "its partner");
    }
    return line;
  }

  private void checkColumns(List<String> fields, long start) {
    if (fields.size() > limits.numColumns()) {
      throw corrupt(
          start,
          "more than " + limits.numColumns() + " columns",
          "at most as many; is it a table in this format?");
    }
  }

  private void checkSize(int rowSize, long start) {
    if (rowSize > limits.rowBytes()) {
      throw corrupt(
          start,
          "a row of more than " + limits.rowBytes() + " characters",
          "at most as many; is a quotation mark not closed?");
    }
  }

  private CorruptFileException corrupt(long line, String found, String expected) {
    return new CorruptFileException(
        "line %d of %s has %s; expected %s".formatted(line, file, found, expected));
  }

  private static String withoutReturn(String text) {
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }
}
