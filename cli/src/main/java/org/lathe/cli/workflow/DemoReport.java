package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.report.HtmlReport;
import org.lathe.cli.report.Series;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.files.Storage;

/** The demo's table, on the terminal and as a page. */
final class DemoReport {
  /** System, what it is. */
  private static final Map<String, String> SYSTEMS = new LinkedHashMap<>();

  static {
    SYSTEMS.put("vanilla", "vanilla, no memory");
    SYSTEMS.put("vanillaCacheLocal", "vanilla + tuned cache over the window");
    SYSTEMS.put("vanillaCacheLong", "vanilla + tuned cache, long-term items too");
    SYSTEMS.put("vanillaKnn", "vanilla + kNN over the training text");
    SYSTEMS.put("trimeNone", "TRIME, memory hidden");
    SYSTEMS.put("trimeLocal", "TRIME, local memory");
    SYSTEMS.put("trimeLong", "TRIME, local and long-term memory");
  }

  private DemoReport() {}

  static List<String> lines(DemoSummary summary, Path savedModel, Path out, double secondsTotal) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("test perplexity (per token, natural logarithm, sliding window)");
    SYSTEMS.forEach(
        (system, text) ->
            lines.add(String.format(Locale.ROOT, "  %-44s %8.3f", text, summary.value(system))));
    lines.add(
        String.format(
            Locale.ROOT,
            "  %-44s %8.3f",
            "TRIME pruned and fine-tuned, local memory",
            summary.pruned().get("perplexity")));
    lines.add(
        String.format(
            Locale.ROOT,
            "TRIME local / cache %.3f, long / long cache %.3f, pruned / unpruned %.3f",
            summary.ratio("trimeLocal", "vanillaCacheLocal"),
            summary.ratio("trimeLong", "vanillaCacheLong"),
            prunedRatio(summary)));
    for (int batch : new int[] {1, 8}) {
      lines.add(
          String.format(
              Locale.ROOT,
              "SavedModel, batch %d: %.2f ms full, %.2f ms slim, speed-up %.2f [%.2f, %.2f]",
              batch,
              summary.pruned().get("fullMsBatch" + batch),
              summary.pruned().get("slimMsBatch" + batch),
              summary.pruned().get("speedupBatch" + batch),
              summary.pruned().get("speedupBatch" + batch + "Low"),
              summary.pruned().get("speedupBatch" + batch + "High")));
    }
    lines.add(
        String.format(
            Locale.ROOT,
            "SavedModel against the training graph, %d prompts: at most %.1e apart",
            DemoWorkflow.NUM_PARITY_PROMPTS,
            (Double) summary.savedModel().get("maxDifference")));
    lines.add("");
    lines.add("report:  " + out.resolve("report.html"));
    lines.add("summary: " + out.resolve("summary.json"));
    lines.add("model:   " + savedModel);
    lines.add("serve it with TensorFlow Serving:");
    lines.add(
        "  tensorflow_model_server --rest_api_port=8501 --model_name=demo --model_base_path="
            + savedModel.toAbsolutePath().normalize().getParent());
    lines.add("  " + ExportWorkflow.curl("demo"));
    lines.add("complete a text with it:");
    lines.add("  ./lathe predict " + savedModel + " --prompt 'if (array == null) {' --tokens 20");
    lines.add(String.format(Locale.ROOT, "%.0f seconds in all", secondsTotal));
    return lines;
  }

  static double prunedRatio(DemoSummary summary) {
    Double perplexity = summary.pruned().get("perplexity");
    return perplexity == null ? Double.NaN : perplexity / summary.value("trimeLocal");
  }

  static void write(
      Storage storage, Path out, DemoSummary summary, PruningPlan plan, double secondsTotal) {
    List<List<?>> rows = new ArrayList<>();
    Map<String, Double> bars = new LinkedHashMap<>();
    SYSTEMS.forEach(
        (system, text) -> {
          rows.add(List.of(text, number(summary.value(system))));
          bars.put(text, summary.value(system));
        });
    String pruned = "TRIME pruned and fine-tuned, local memory";
    rows.add(List.of(pruned, number(summary.pruned().getOrDefault("perplexity", Double.NaN))));
    bars.put(pruned, summary.pruned().getOrDefault("perplexity", Double.NaN));
    List<List<?>> latency = new ArrayList<>();
    for (int batch : new int[] {1, 8}) {
      latency.add(
          List.of(
              batch,
              number(summary.pruned().getOrDefault("fullMsBatch" + batch, Double.NaN)),
              number(summary.pruned().getOrDefault("slimMsBatch" + batch, Double.NaN)),
              number(summary.pruned().getOrDefault("speedupBatch" + batch, Double.NaN))));
    }
    List<List<?>> seconds = new ArrayList<>();
    summary.seconds().forEach((stage, value) -> seconds.add(List.of(stage, number(value))));
    HtmlReport page =
        HtmlReport.page("Lathe demo")
            .paragraph(
                "Java source text, two small language models of one size and budget, one of them"
                    + " trained with memory, then pruned to a measured speed-up and exported. "
                    + summary.savedModel().getOrDefault("hardware", ""))
            .table("Test perplexity", List.of("system", "perplexity"), rows)
            .bars("Test perplexity, lower is better", bars);
    List<Series> losses = new ArrayList<>();
    losses.addAll(curves(storage, out.resolve("runs/vanilla"), "vanilla", "train/loss"));
    losses.addAll(curves(storage, out.resolve("runs/trime"), "TRIME", "train/loss"));
    losses.addAll(curves(storage, out.resolve("runs/slim"), "slim", "train/languageModelLoss"));
    page.lineChart("Training loss", "step", "nats a token", losses);
    List<Series> reduction = new ArrayList<>();
    Path pruning = out.resolve("runs/slim/pruning");
    reduction.addAll(curves(storage, pruning, "expected", "train/reduction"));
    reduction.addAll(curves(storage, pruning, "target", "train/reductionTarget"));
    page.lineChart("Pruning: share of the measured time removed", "step", "share", reduction);
    ReportWorkflow.structure(page, plan);
    page.table(
            "SavedModel latency, milliseconds a call",
            List.of("batch", "full", "slim", "speed-up"),
            latency)
        .table("Seconds a stage", List.of("stage", "seconds"), seconds)
        .paragraph(String.format(Locale.ROOT, "%.0f seconds in all.", secondsTotal))
        .write(storage, out.resolve("report.html"));
  }

  private static List<Series> curves(Storage storage, Path run, String label, String name) {
    Curve curve = MetricsReader.read(storage, run.resolve("metrics.jsonl")).get(name);
    return curve == null ? List.of() : List.of(curve.series(label));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
