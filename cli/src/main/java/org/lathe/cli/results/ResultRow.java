package org.lathe.cli.results;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * One measured figure, one line of results.jsonl.
 *
 * @param experiment which table it belongs to
 * @param system what was measured; a peer is a system of its own
 * @param dataset text or task
 * @param split train, valid or test
 * @param memory one of {@link #MEMORIES}
 * @param metric for instance perplexity or speedupBatch1
 * @param value the figure
 * @param seed of the run
 * @param command that reproduces it
 * @param commit of the code that measured it
 * @param seconds the measurement took; null when not timed
 * @param note window, stride, hardware: whatever the figure depends on
 */
public record ResultRow(
    String experiment,
    String system,
    String dataset,
    String split,
    String memory,
    String metric,
    double value,
    long seed,
    String command,
    String commit,
    @Nullable Double seconds,
    @Nullable String note) {
  public static final List<String> MEMORIES =
      List.of("none", "cache-local", "cache-long", "local", "long", "knn", "external");

  public ResultRow {
    if (!MEMORIES.contains(memory)) {
      throw new CorruptFileException(
          "memory is '" + memory + "'; expected one of " + String.join(", ", MEMORIES));
    }
  }
}
