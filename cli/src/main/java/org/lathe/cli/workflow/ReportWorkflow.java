package org.lathe.cli.workflow;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.report.HtmlReport;
import org.lathe.cli.report.LayerStructure;
import org.lathe.cli.report.Series;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/** {@code lathe report}: everything a run has written, on one page. */
final class ReportWorkflow {
  private static final String REPORT_FILE = "report.html";
  private static final String METRICS_FILE = "metrics.jsonl";
  private static final String EVALUATION_FILE = "evaluation.json";

  private ReportWorkflow() {}

  static Outcome run(ReportRequest request, RunContext context) {
    Storage storage = context.storage();
    RunDirectory run = RunDirectory.open(storage, request.run());
    Map<String, Curve> curves = MetricsReader.read(storage, run.path().resolve(METRICS_FILE));
    HtmlReport page = HtmlReport.page("Run " + ModelVersions.name(run.path()));
    page.table("Run", List.of("fact", "value"), facts(run, curves));
    speedup(page, SpeedupSearch.facts(run.path(), context));
    evaluation(page, storage, run.path().resolve(EVALUATION_FILE));
    @Nullable PruningPlan plan = plan(storage, run.path().resolve(RunDirectory.PLAN_FILE));
    if (plan != null) {
      structure(page, plan);
    }
    training(page, curves);
    pruning(
        page,
        MetricsReader.read(
            storage, run.path().resolve(RunDirectory.PRUNING).resolve(METRICS_FILE)));
    page.table("Configuration", List.of("key", "value"), configuration(run.record().config()));
    Path file = run.path().resolve(REPORT_FILE);
    page.write(storage, file);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("report", file.toString());
    facts.put("curves", List.copyOf(curves.keySet()));
    facts.put("structure", plan != null);
    return Outcome.done(facts, List.of(file + ": open it in a browser"));
  }

  private static List<List<Object>> facts(RunDirectory run, Map<String, Curve> curves) {
    RunRecord record = run.record();
    TransformerConfig model = record.model();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("kind", record.kind());
    if (!record.parent().isEmpty()) {
      facts.put("teacher", record.parent());
    }
    run.checkpoints()
        .latest()
        .ifPresent(
            checkpoint -> {
              facts.put("step of the newest checkpoint", checkpoint.step());
              facts.put("parameters", weights(run).numValues());
            });
    facts.put("parameters of attention and feed-forward", ParameterCount.count(model));
    facts.put("vocabulary", model.vocabularySize());
    facts.put("hidden size", model.hiddenSize());
    facts.put(
        "layers (heads x feed-forward units)",
        String.join(", ", model.blocks().stream().map(ReportWorkflow::describe).toList()));
    facts.put("memory", ConfigSchema.wordOf(record.memory().objective()));
    if (model.keySize() != null) {
      facts.put("size of the memory's keys", model.keySize());
    }
    addLast(facts, "last training loss", curves.get("train/loss"));
    addLast(facts, "last validation loss", curves.get("valid/loss"));
    if (!record.dataDirectory().isEmpty()) {
      facts.put("data", record.dataDirectory());
    }
    facts.put("training tokens' SHA-256", record.dataSha256());
    facts.put("configuration's SHA-256", record.configHash());
    facts.putAll(record.versions());
    return rows(facts);
  }

  /** Of an encoder those that were kept. */
  private static Weights weights(RunDirectory run) {
    EncoderRecord encoder = run.record().encoder();
    return encoder == null ? run.modelWeights() : run.encoderWeights(encoder.head());
  }

  private static void addLast(Map<String, Object> facts, String name, @Nullable Curve curve) {
    if (curve != null) {
      facts.put(
          name, String.format(Locale.ROOT, "%.4f at step %d", curve.last(), curve.lastStep()));
    }
  }

  private static String describe(BlockShape block) {
    return block.numHeads() + " x " + block.intermediateSize();
  }

  private static void speedup(HtmlReport page, Map<String, Object> facts) {
    if (!facts.isEmpty()) {
      page.table("Speed-up", List.of("fact", "value"), rows(facts));
    }
  }

  private static void training(HtmlReport page, Map<String, Curve> curves) {
    chart(page, "Loss", "nats", curves, "train/loss", "valid/loss");
    parts(page, "What the loss is made of", curves);
    chart(page, "Score on the validation files", "score", curves, scores(curves));
    chart(page, "Gradient norm", "before clipping", curves, "train/gradientNorm");
    chart(page, "Speed", "tokens per second", curves, "train/tokensPerSecond");
  }

  /** The terms of a distilled loss, before their weights. */
  private static void parts(HtmlReport page, String heading, Map<String, Curve> curves) {
    chart(
        page,
        heading,
        "value",
        curves,
        "train/taskLoss",
        "train/predictionLoss",
        "train/layerLoss",
        "train/attentionLoss",
        "train/hiddenLoss",
        "train/embeddingLoss");
  }

  /** The metrics of an encoder's task; a language model has its loss only. */
  private static String[] scores(Map<String, Curve> curves) {
    return curves.keySet().stream()
        .filter(name -> name.startsWith("valid/") && !name.equals("valid/loss"))
        .toArray(String[]::new);
  }

  private static void pruning(HtmlReport page, Map<String, Curve> curves) {
    if (curves.isEmpty()) {
      return;
    }
    chart(page, "Loss while pruning", "loss", curves, "train/loss", "valid/loss");
    parts(page, "What the loss is made of while pruning", curves);
    chart(
        page,
        "Reduction against its target",
        "reduction",
        curves,
        "train/reduction",
        "train/reductionTarget");
    chart(page, "Multipliers", "value", curves, "train/lambda1", "train/lambda2");
  }

  /** Nothing when none of the curves was written. */
  private static void chart(
      HtmlReport page, String heading, String unit, Map<String, Curve> curves, String... names) {
    List<Series> series = new ArrayList<>();
    for (String name : names) {
      Curve curve = curves.get(name);
      if (curve != null) {
        series.add(curve.series(name));
      }
    }
    if (!series.isEmpty()) {
      page.lineChart(heading, "step", unit, series);
    }
  }

  private static void evaluation(HtmlReport page, Storage storage, Path file) {
    if (!storage.exists(file)) {
      return;
    }
    @Nullable Object perplexity = JsonFile.read(storage, file).get("perplexity");
    if (perplexity == null) {
      return;
    }
    if (!(perplexity instanceof Map<?, ?> map)) {
      throw new CorruptFileException(
          file
              + ": field 'perplexity' is not an object of numbers. Run 'lathe evaluate' again, which"
              + " writes it.");
    }
    Map<String, Double> bars = new LinkedHashMap<>();
    map.forEach(
        (system, value) -> {
          if (value instanceof Number number) {
            bars.put(String.valueOf(system), number.doubleValue());
          }
        });
    if (!bars.isEmpty()) {
      page.bars("Perplexity", bars);
    }
  }

  private static @Nullable PruningPlan plan(Storage storage, Path file) {
    return storage.exists(file)
        ? IoGuard.call(storage, "read", file, () -> PruningPlanFile.read(storage, file))
        : null;
  }

  /** The picture of what a plan keeps, layer by layer. */
  static void structure(HtmlReport page, PruningPlan plan) {
    List<LayerStructure> layers = new ArrayList<>();
    for (int layer = 0; layer < plan.layers().size(); layer++) {
      BlockShape full = plan.config().blocks().get(layer);
      LayerPlan kept = plan.layers().get(layer);
      layers.add(
          new LayerStructure(
              flags(full.numHeads(), kept.keptHeads()),
              flags(full.intermediateSize(), kept.keptIntermediate())));
    }
    page.structure("What is kept", layers);
    page.paragraph(
        String.format(
            Locale.ROOT,
            "%,d of %,d parameters of attention and feed-forward are kept (sparsity %.3f), and %d"
                + " of %d hidden dimensions.",
            plan.keptParameters(),
            plan.fullParameters(),
            plan.sparsity(),
            plan.keptHidden().size(),
            plan.config().hiddenSize()));
  }

  private static boolean[] flags(int size, List<Integer> kept) {
    boolean[] flags = new boolean[size];
    kept.forEach(index -> flags[index] = true);
    return flags;
  }

  private static List<List<Object>> configuration(JsonNode config) {
    Map<String, Object> leaves = new LinkedHashMap<>();
    addLeaves("", config, leaves);
    return rows(leaves);
  }

  private static void addLeaves(String prefix, JsonNode node, Map<String, Object> leaves) {
    node.properties()
        .forEach(
            field -> {
              String key = prefix + field.getKey();
              JsonNode value = field.getValue();
              if (value.isObject()) {
                addLeaves(key + ".", value, leaves);
              } else {
                leaves.put(key, value.isTextual() ? value.textValue() : value.toString());
              }
            });
  }

  private static List<List<Object>> rows(Map<String, Object> facts) {
    List<List<Object>> rows = new ArrayList<>();
    facts.forEach((name, value) -> rows.add(List.of(name, value)));
    return rows;
  }
}
