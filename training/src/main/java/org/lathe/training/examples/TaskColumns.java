package org.lathe.training.examples;

import com.google.common.primitives.Ints;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;

/**
 * Which columns of a table a task reads.
 *
 * @param hasHeader the first row holds the names of the columns, and columns are given by name;
 *     without it they are given by number, from "1"
 * @param text the text, or the first of a pair
 * @param secondText the second text; null in tasks with one
 * @param label class or number; null for a table without labels
 * @param id what examples are called; null to number them from 0
 */
public record TaskColumns(
    boolean hasHeader,
    String text,
    @Nullable String secondText,
    @Nullable String label,
    @Nullable String id) {
  public TaskColumns {
    List<String> columns = Stream.of(text, secondText, label, id).filter(Objects::nonNull).toList();
    for (String column : columns) {
      Integer number = hasHeader ? Integer.valueOf(1) : Ints.tryParse(column);
      if (column.isEmpty() || number == null || number < 1) {
        throw new ConfigException(
            "a column of the task is called \"%s\"; expected %s."
                .formatted(
                    column,
                    hasHeader
                        ? "a name of the table's header"
                        : "a number from 1, as the table has no header"));
      }
    }
    if (columns.stream().distinct().count() < columns.size()) {
      throw new ConfigException(
          "the task's columns are %s; expected each to be another.".formatted(columns));
    }
  }
}
