package org.lathe.cli.workflow;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What the demo measured: the content of summary.json.
 *
 * @param perplexity test perplexity by system
 * @param pruned sparsity, perplexity, speedupBatch1, speedupBatch8
 * @param savedModel path and maxDifference
 * @param seconds of each stage
 */
record DemoSummary(
    Map<String, Double> perplexity,
    Map<String, Double> pruned,
    Map<String, Object> savedModel,
    Map<String, Double> seconds) {

  DemoSummary() {
    this(
        new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
  }

  /** Runs one stage and keeps its time. */
  <T> T timed(String stage, Supplier<T> work) {
    long start = System.nanoTime();
    T result = work.get();
    seconds.merge(stage, (System.nanoTime() - start) * 1e-9, Double::sum);
    return result;
  }

  double value(String system) {
    Double value = perplexity.get(system);
    return value == null ? Double.NaN : value;
  }

  /** One system's perplexity over another's. */
  double ratio(String system, String over) {
    return value(system) / value(over);
  }

  Map<String, Object> toMap(double secondsTotal) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("perplexity", perplexity);
    map.put("pruned", pruned);
    map.put("savedModel", savedModel);
    map.put("seconds", seconds);
    map.put("secondsTotal", secondsTotal);
    return map;
  }
}
