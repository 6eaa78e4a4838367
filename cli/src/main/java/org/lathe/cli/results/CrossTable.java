package org.lathe.cli.results;

import com.google.common.collect.HashBasedTable;
import com.google.common.collect.Table;
import com.google.common.math.Stats;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One metric of one experiment at a glance: a line for each system and dataset, a column for each
 * memory. Where a figure was measured with several seeds, their mean and sample standard deviation
 * stand for it.
 */
final class CrossTable {
  private final List<ResultRow> rows;

  /**
   * @param rows of one experiment, one metric and one split
   */
  CrossTable(List<ResultRow> rows) {
    this.rows = rows;
  }

  String markdown() {
    Set<String> lines = new LinkedHashSet<>();
    Table<String, String, List<Double>> values = HashBasedTable.create();
    for (ResultRow row : rows) {
      String line = ResultsTable.cell(row.system()) + " | " + ResultsTable.cell(row.dataset());
      lines.add(line);
      @Nullable List<Double> cell = values.get(line, row.memory());
      if (cell == null) {
        cell = new ArrayList<>();
        values.put(line, row.memory(), cell);
      }
      cell.add(row.value());
    }
    List<String> memories =
        ResultRow.MEMORIES.stream().filter(memory -> values.containsColumn(memory)).toList();
    StringBuilder table = new StringBuilder("| system | dataset |");
    memories.forEach(memory -> table.append(' ').append(memory).append(" |"));
    table.append("\n|---|---|").append("---:|".repeat(memories.size())).append('\n');
    for (String line : lines) {
      table.append("| ").append(line).append(" |");
      for (String memory : memories) {
        table.append(' ').append(cell(values.get(line, memory))).append(" |");
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
