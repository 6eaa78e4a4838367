package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.export.savedmodel.ExportedModel;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.training.data.PreparedData;
import org.lathe.training.files.JsonFile;

/**
 * {@code lathe demo}: text, a vanilla and a TRIME model, their test perplexities with every memory,
 * pruning to a measured speed-up, export, verification in a fresh JVM, report. Every stage is the
 * one behind its own command; a stopped demo goes on where it stopped.
 */
final class DemoWorkflow {
  static final int NUM_PARITY_PROMPTS = 256;

  /** Repetitions a model and batch size, in turns. */
  private static final int LATENCY_RUNS = 200;

  private static final int LATENCY_WARMUPS = 30;

  private final DemoRequest request;
  private final RunContext context;
  private final DemoSummary summary = new DemoSummary();
  private final Path data;
  private final Path vanillaRun;
  private final Path trimeRun;
  private final Path slimRun;

  private DemoWorkflow(DemoRequest request, RunContext context) {
    this.request = request;
    this.context = context;
    this.data = request.out().resolve("data");
    this.vanillaRun = request.out().resolve("runs/vanilla");
    this.trimeRun = request.out().resolve("runs/trime");
    this.slimRun = request.out().resolve("runs/slim");
  }

  static Outcome run(DemoRequest request, RunContext context) {
    if (context.dryRun()) {
      return Outcome.done(
          Map.of("out", request.out().toString()),
          ImmutableList.of(
              "would read " + request.sources() + ", train two models and write " + request.out()));
    }
    return new DemoWorkflow(request, context).stages();
  }

  private Outcome stages() {
    long start = System.nanoTime();
    RunConfig memory = withDemoData(request.memory());
    RunConfig vanilla = withDemoData(request.vanilla());
    note("1/6 text", "Java source files from Maven's :sources jars, split by document");
    summary.timed("text", () -> prepare(memory));
    note("2/6 train", "a vanilla model and a TRIME model of the same size and budget");
    if (!summary.timed("trainVanilla", () -> trained(vanilla, vanillaRun))
        || !summary.timed("trainTrime", () -> trained(memory, trimeRun))) {
      return stopped();
    }
    note("3/6 evaluate", "test perplexity, memories tuned on the validation text");
    summary.timed("evaluate", this::evaluate);
    note("4/6 prune", "gates, Lagrangian and distillation to a measured speed-up; then fine-tune");
    Optional<PruneWorkflow.Result> pruned =
        summary.timed(
            "prune",
            () -> PruneWorkflow.prune(new PruneRequest(memory, slimRun, trimeRun), context));
    if (pruned.isEmpty()) {
      return stopped();
    }
    MemoryStudy.Finding slim = summary.timed("evaluate", () -> evaluateSlim(memory));
    note("5/6 export", "SavedModels, checked in a fresh JVM and timed against each other");
    Path exported = summary.timed("export", () -> export(slim.temperature()));
    double seconds = (System.nanoTime() - start) * 1e-9;
    note("6/6 tell", "");
    JsonFile.replace(
        context.storage(), request.out().resolve("summary.json"), summary.toMap(seconds));
    DemoReport.write(context.storage(), request.out(), summary, pruned.get().plan(), seconds);
    return Outcome.done(
        summary.toMap(seconds), DemoReport.lines(summary, exported, request.out(), seconds));
  }

  private void note(String stage, String what) {
    context.console().note("== " + stage + (what.isEmpty() ? "" : ": " + what));
  }

  private Outcome stopped() {
    return Outcome.interrupted(
        Map.of("out", request.out().toString()),
        ImmutableList.of("stopped with a checkpoint; ./lathe demo goes on"));
  }

  /** The configuration with the demo's own text and data directory. */
  private RunConfig withDemoData(RunConfig config) {
    try {
      String jars =
          context.storage().list(request.sources()).stream()
              .map(Path::toString)
              .filter(name -> name.endsWith(".jar"))
              .map(name -> '"' + name + '"')
              .toList()
              .toString();
      return RunConfigReader.fromJson(
          RunConfigReader.toJson(config),
          new Overrides(List.of("data.sources=" + jars, "data.directory=" + data)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean prepare(RunConfig config) {
    if (!context.storage().exists(data)) {
      PrepareWorkflow.prepare(config, data, context);
    }
    return true;
  }

  private boolean trained(RunConfig config, Path run) {
    context.console().note("training " + run);
    return TrainWorkflow.run(new TrainRequest(config, run), context).exitCode() == 0;
  }

  private boolean evaluate() {
    try (MemoryStudy vanilla = study(vanillaRun)) {
      put("vanilla", vanilla.withoutMemory().perplexity());
      put("vanillaCacheLocal", vanilla.tuned(0).perplexity());
      put("vanillaCacheLong", vanilla.tuned(longTermItems()).perplexity());
      put(
          "vanillaKnn",
          vanilla.neighbors(vanilla.trainingText(MemoryKind.KNN), 1, null).perplexity());
    }
    try (MemoryStudy trime = study(trimeRun)) {
      put("trimeNone", trime.withoutMemory().perplexity());
      put("trimeLocal", trime.tunedShared(0).perplexity());
      put("trimeLong", trime.tunedShared(longTermItems()).perplexity());
    }
    return true;
  }

  private void put(String system, double perplexity) {
    summary.perplexity().put(system, perplexity);
    context.console().note(String.format(Locale.ROOT, "  %-18s %8.3f", system, perplexity));
  }

  private int longTermItems() {
    return request.memory().evaluation().longTermItems();
  }

  private MemoryStudy.Finding evaluateSlim(RunConfig config) {
    try (MemoryStudy slim = study(slimRun)) {
      MemoryStudy.Finding found = slim.tunedShared(0);
      RunDirectory run = RunDirectory.open(context.storage(), slimRun);
      RunDirectory full = RunDirectory.open(context.storage(), trimeRun);
      summary
          .pruned()
          .put("sparsity", ParameterCount.sparsity(full.record().model(), run.record().model()));
      summary.pruned().put("targetSpeedup", config.pruning().target().speedup());
      summary.pruned().put("perplexity", found.perplexity());
      return found;
    }
  }

  private MemoryStudy study(Path path) {
    RunDirectory run = RunDirectory.open(context.storage(), path);
    return new MemoryStudy(run, run.config(Overrides.NONE), "test", context.console());
  }

  /** Publishes full and slim model, checks the slim one, times one against the other. */
  private Path export(double temperature) {
    Path models = request.out().resolve("models");
    Path full = publish(trimeRun, models.resolve("full"), temperature);
    Path slim = publish(slimRun, models.resolve(request.memory().export().name()), temperature);

    RunDirectory run = RunDirectory.open(context.storage(), slimRun);
    double difference;
    try (ReferenceScorer reference =
            new GraphReference(
                run.record().model(), run.record().memory(), run.modelWeights(), temperature);
        PreparedData prepared = run.data()) {
      difference =
          SavedModelParity.maxDifference(
              context.storage(),
              slim,
              reference,
              prepared.test(),
              NUM_PARITY_PROMPTS,
              run.record().model().maxPositions(),
              request.memory().seed());
    }
    double recorded =
        FreshProcess.run(List.of("verify", slim.toString()))
            .path("maxDifference")
            .asDouble(Double.NaN);
    summary.savedModel().put("path", slim.toString());
    summary.savedModel().put("maxDifference", difference);
    summary.savedModel().put("maxDifferenceFreshJvm", recorded);
    MeasuredSpeedup speedup =
        MeasuredSpeedup.of(
            context.storage(),
            full,
            slim,
            new MeasuredSpeedup.Settings(
                List.of(1, 8),
                request.memory().pruning().length(),
                LATENCY_WARMUPS,
                LATENCY_RUNS,
                request.memory().threads()));
    summary.pruned().putAll(speedup.facts());
    summary.savedModel().put("hardware", speedup.hardware());
    return slim;
  }

  private Path publish(Path runPath, Path base, double temperature) {
    RunDirectory run = RunDirectory.open(context.storage(), runPath);
    long version = ModelVersions.highest(context.storage(), base).orElse(0) + 1;
    ExportedModel model = ExportWorkflow.export(run, base, version, temperature, context);
    return model.directory();
  }
}
