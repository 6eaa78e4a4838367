package org.lathe.cli.results;

import com.google.common.collect.HashBasedTable;
import com.google.common.collect.Table;
import com.google.common.math.Stats;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One experiment at a glance: a line for each system and dataset; a column for each memory of one
 * metric, or for each of several metrics. Where a figure was measured with several seeds, their
 * mean and sample standard deviation stand for it.
 */
final class CrossTable {
  private final List<ResultRow> rows;

  /**
   * @param rows of one experiment and one split
   */
  CrossTable(List<ResultRow> rows) {
    this.rows = rows;
  }

  /** One metric by memory. */
  String byMemory() {
    return markdown(ResultRow::memory, ResultRow.MEMORIES);
  }

  /** These metrics, side by side. */
  String byMetric(List<String> metrics) {
    return markdown(ResultRow::metric, metrics);
  }

  private String markdown(Function<ResultRow, String> columnOf, List<String> order) {
    Set<String> lines = new LinkedHashSet<>();
    Table<String, String, List<Double>> values = HashBasedTable.create();
    for (ResultRow row : rows) {
      String line = ResultsTable.cell(row.system()) + " | " + ResultsTable.cell(row.dataset());
      lines.add(line);
      @Nullable List<Double> cell = values.get(line, columnOf.apply(row));
      if (cell == null) {
        cell = new ArrayList<>();
        values.put(line, columnOf.apply(row), cell);
      }
      cell.add(row.value());
    }
    List<String> columns = order.stream().filter(values::containsColumn).toList();
    StringBuilder table = new StringBuilder("| system | dataset |");
    columns.forEach(column -> table.append(' ').append(column).append(" |"));
    table.append("\n|---|---|").append("---:|".repeat(columns.size())).append('\n');
    for (String line : lines) {
      table.append("| ").append(line).append(" |");
      for (String column : columns) {
        table.append(' ').append(cell(values.get(line, column))).append(" |");
      }
      table.append('\n');
    }
    return table.toString();
  }

  private static String cell(@Nullable List<Double> values) {
    if (values == null) {
      return "";
    }
    Stats stats = Stats.of(values);
    String mean = ResultsTable.number(stats.mean());
    return values.size() == 1
        ? mean
        : mean + " ± " + ResultsTable.number(stats.sampleStandardDeviation());
  }
}
