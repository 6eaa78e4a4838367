package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.export.latency.LatencyBench;

/** {@code lathe benchmark latency}: what served models take, each beside the first, in turns. */
final class BenchmarkLatencyWorkflow {
  private BenchmarkLatencyWorkflow() {}

  static Outcome run(BenchmarkLatencyRequest request, RunContext context) {
    Path first = request.versions().get(0);
    MeasuredSpeedup.Settings settings =
        new MeasuredSpeedup.Settings(
            request.batchSizes(),
            request.length(),
            LatencyBench.MIN_WARMUPS,
            request.runs(),
            request.threads());
    List<Map<String, Object>> models = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    String hardware = "";
    for (Path version : request.versions().subList(1, request.versions().size())) {
      context.console().note("timing " + version + " beside " + first);
      MeasuredSpeedup measured = MeasuredSpeedup.of(context.storage(), first, version, settings);
      hardware = measured.hardware();
      Map<String, Object> model = new LinkedHashMap<>();
      model.put("path", version.toString());
      model.putAll(measured.facts());
      models.add(model);
      lines.add(version + ": " + measured);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("against", first.toString());
    facts.put("length", request.length());
    facts.put("runs", request.runs());
    facts.put("models", models);
    facts.put("hardware", hardware);
    lines.add("against " + first + ", " + request.length() + " ids a row; " + hardware);
    return Outcome.done(facts, lines);
  }
}
