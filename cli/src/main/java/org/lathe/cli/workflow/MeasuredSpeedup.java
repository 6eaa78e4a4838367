package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableSortedMap;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.lathe.export.latency.LatencyBench;
import org.lathe.export.latency.LatencyComparison;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/**
 * How much faster one published model answers than another, timed in turns in one process.
 *
 * @param comparisons by batch size
 */
record MeasuredSpeedup(Map<Integer, LatencyComparison> comparisons) {
  MeasuredSpeedup {
    comparisons = ImmutableSortedMap.copyOf(comparisons);
  }

  /**
   * How to time.
   *
   * @param batchSizes each measured by itself
   * @param length ids a row
   * @param warmups calls of each model that are not counted
   * @param runs calls of each that are
   * @param threads of TensorFlow; 0 = one per core
   */
  record Settings(List<Integer> batchSizes, int length, int warmups, int runs, int threads) {
    /** The fewest calls that {@link LatencyBench} takes for a median. */
    static Settings quick(List<Integer> batchSizes, int length, int threads) {
      return new Settings(
          batchSizes, length, LatencyBench.MIN_WARMUPS, LatencyBench.MIN_RUNS, threads);
    }
  }

  /**
   * @param slow models/NAME/VERSION
   * @param fast the same of another model
   * @throws FailedException when a time cannot be measured
   */
  static MeasuredSpeedup of(Storage storage, Path slow, Path fast, Settings settings) {
    Map<Integer, LatencyComparison> comparisons = new LinkedHashMap<>();
    for (int batchSize : settings.batchSizes()) {
      LatencyComparison times =
          LatencyBench.compare(
              storage,
              slow,
              fast,
              new LatencyBench.Settings(
                  batchSize,
                  settings.length(),
                  settings.warmups(),
                  settings.runs(),
                  settings.threads()));
      if (!Double.isFinite(times.speedUp())) {
        throw new FailedException("the latency of " + fast + " could not be measured");
      }
      comparisons.put(batchSize, times);
    }
    return new MeasuredSpeedup(comparisons);
  }

  /** Of the batch size that gains least. */
  double smallest() {
    return comparisons.values().stream()
        .mapToDouble(LatencyComparison::speedUp)
        .min()
        .orElseThrow();
  }

  /** {@code speedupBatch8}, its 95 % interval, and both medians, of each batch size. */
  Map<String, Double> facts() {
    Map<String, Double> facts = new LinkedHashMap<>();
    comparisons.forEach(
        (batchSize, times) -> {
          facts.put("speedupBatch" + batchSize, times.speedUp());
          facts.put("speedupBatch" + batchSize + "Low", times.speedUpLow());
          facts.put("speedupBatch" + batchSize + "High", times.speedUpHigh());
          facts.put("fullMsBatch" + batchSize, times.first().medianMs());
          facts.put("slimMsBatch" + batchSize, times.second().medianMs());
        });
    return facts;
  }

  /** What the times were taken on. */
  String hardware() {
    return comparisons.values().iterator().next().first().hardware();
  }

  /** For people: "3.9x at batch 1, 4.2x at batch 8". */
  @Override
  public String toString() {
    return comparisons.entrySet().stream()
        .map(
            entry ->
                String.format(
                    Locale.ROOT, "%.2fx at batch %d", entry.getValue().speedUp(), entry.getKey()))
        .collect(Collectors.joining(", "));
  }
}
