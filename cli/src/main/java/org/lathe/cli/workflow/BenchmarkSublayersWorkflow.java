package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.lathe.export.latency.HardwareFile;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.SublayerTimer;
import org.lathe.pruning.gates.GateKind;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * {@code lathe benchmark sublayers}: the latency tables of a model on the machine that shall serve
 * it, for {@code lathe prune} on another.
 */
final class BenchmarkSublayersWorkflow {
  private BenchmarkSublayersWorkflow() {}

  static Outcome run(BenchmarkSublayersRequest request, RunContext context) {
    Storage storage = context.storage();
    RunDirectory run = RunDirectory.open(storage, request.run());
    run.requireNotRecurrent("pruned");
    RunRecord record = run.record();
    EncoderRecord encoder = record.encoder();
    if (encoder != null && encoder.kind() == TaskKind.MASKED_LM) {
      throw new ConfigException(
          request.run()
              + " has no task yet and so nothing that could be served and timed; fine-tune it"
              + " first, with task.pretrained="
              + request.run());
    }
    TransformerConfig model = record.model();
    GateKind.requireUniform(model);
    SublayerTimer timer = LatencyMeasurement.timer(record, request.threads());
    IoGuard.run(storage, "create", request.out(), () -> storage.createDirectories(request.out()));
    List<Map<String, Object>> tables = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (int batchSize : request.batchSizes()) {
      LatencyTable table =
          LatencyMeasurement.measure(model, batchSize, request.length(), timer, context.console());
      Path file = LatencyTables.file(request.out(), batchSize);
      LatencyTables.write(storage, file, table);
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("path", file.toString());
      facts.put("batchSize", batchSize);
      facts.put("fullMs", table.fullMs(model));
      facts.put("largestSpeedup", table.speedupLimit(model));
      tables.add(facts);
      lines.add(
          String.format(
              Locale.ROOT,
              "%s: the full model takes %.1f ms at batch %d, without any sublayer %.1f ms",
              file,
              table.fullMs(model),
              batchSize,
              table.otherMs()));
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("run", request.run().toString());
    facts.put("length", request.length());
    facts.put("tables", tables);
    facts.put("hardware", HardwareFile.describe(storage, request.threads()));
    lines.add(
        "next: lathe prune ... --set pruning.latencyTables=["
            + tables.stream()
                .map(table -> String.valueOf(table.get("path")))
                .collect(Collectors.joining(","))
            + "] --set pruning.batchSizes="
            + request.batchSizes().toString().replace(" ", "")
            + " --set pruning.length="
            + request.length());
    return Outcome.done(facts, lines);
  }
}
