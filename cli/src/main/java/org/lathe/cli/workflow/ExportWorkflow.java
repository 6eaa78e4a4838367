package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.RunConfig;
import org.lathe.export.retrieval.RetrievalFacts;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.export.retrieval.StoredMemory;
import org.lathe.export.savedmodel.ExportedModel;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.export.savedmodel.WeightPrecision;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.lathe.training.text.TokenizerStore;

/**
 * {@code lathe export}: the model of a run, full or slim, as a verified SavedModel, alone or with
 * an external memory that the served graph searches.
 */
final class ExportWorkflow {
  private static final List<String> TOKENIZER_FILES =
      ImmutableList.of(TokenizerStore.KIND_FILE, TokenizerStore.BPE_FILE, TokenizerStore.WORD_FILE);

  private ExportWorkflow() {}

  static Outcome run(ExportRequest request, RunContext context) {
    Storage storage = context.storage();
    RunDirectory run = RunDirectory.open(storage, request.run());
    run.requireNotRecurrent("exported");
    RunConfig config = run.config(request.overrides());
    EncoderRecord encoder = run.record().encoder();
    if (request.format() == ExportFormat.HUGGING_FACE) {
      if (encoder == null) {
        throw new ConfigException(
            run.path()
                + " is a language model of Lathe's own kind, for which Hugging Face has no class;"
                + " leave --format out");
      }
      return HuggingFaceExport.run(run, encoder, request, context);
    }
    double temperature = config.export().temperature();
    long version =
        request
            .version()
            .orElseGet(() -> ModelVersions.highest(storage, request.out()).orElse(0) + 1);
    Path target = request.out().resolve(Long.toString(version));
    if (storage.exists(target)) {
      throw new ConfigException(
          target
              + " exists already and is never changed; leave --version out for the next one, or"
              + " give a free number");
    }
    if (encoder != null) {
      return TaskExportWorkflow.run(run, encoder, request, version, context);
    }
    if (context.dryRun()) {
      return dryRun(run, target, version, temperature, memoryBytes(request, run, config, context));
    }
    @Nullable RetrievalPlan retrieval =
        request.store().map(store -> RetrievalPlans.of(run, store, config, context)).orElse(null);
    ExportedModel exported =
        export(run, request.out(), version, temperature, retrieval, request.precision(), context);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", exported.directory().toString());
    facts.put("version", exported.version());
    facts.put("numParameters", exported.numParameters());
    facts.put("sizeBytes", exported.sizeBytes());
    facts.put("temperature", temperature);
    facts.put("maxDifference", exported.maxDifference());
    facts.putAll(rounding(request.precision(), exported));
    ImmutableList.Builder<String> lines = ImmutableList.builder();
    lines.add(
        String.format(
            "%s: %,d parameters, %,d bytes; reloaded, largest difference of a log-probability"
                + " to the run %.2g",
            exported.directory(),
            exported.numParameters(),
            exported.sizeBytes(),
            exported.maxDifference()));
    lines.addAll(roundingLines(request.precision(), exported));
    if (retrieval != null) {
      facts.put("memoryBytes", exported.memoryBytes());
      facts.put("retrieval", RetrievalFacts.of(retrieval));
      lines.add(
          String.format(
              "with an external memory of %,d items, %,d bytes in the server's memory; %s",
              retrieval.memory().values().length,
              exported.memoryBytes(),
              MixingFacts.of(retrieval.mixing())));
    }
    lines.add(
        "to a TensorFlow Serving of " + request.out().toAbsolutePath().normalize() + ":",
        "  " + curl(ModelVersions.name(request.out())),
        "next: lathe predict " + exported.directory() + " --prompt TEXT --tokens 20");
    return Outcome.done(facts, lines.build());
  }

  /** What packing the weights changed; JSON types only. */
  static Map<String, Object> rounding(WeightPrecision precision, ExportedModel exported) {
    return precision == WeightPrecision.FLOAT32
        ? ImmutableMap.of("weights", precision.label())
        : ImmutableMap.of(
            "weights", precision.label(), "roundingDifference", exported.roundingDifference());
  }

  /** The same for people; none for weights as they were trained. */
  static List<String> roundingLines(WeightPrecision precision, ExportedModel exported) {
    return precision == WeightPrecision.FLOAT32
        ? ImmutableList.of()
        : ImmutableList.of(
            String.format(
                Locale.ROOT,
                "matrices as %s: on the recorded rows outputs differ by up to %.2g from float32",
                precision.label(),
                exported.roundingDifference()));
  }

  /** 0 without a store; a store that cannot be exported is refused. */
  private static long memoryBytes(
      ExportRequest request, RunDirectory run, RunConfig config, RunContext context) {
    if (request.store().isEmpty()) {
      return 0;
    }
    try (StoreDirectory store = RetrievalPlans.open(run, request.store().get(), config, context)) {
      StoredMemory.requireSize(store.exportedBytes(), request.store().get().toString());
      return store.exportedBytes();
    }
  }

  /** Without an external memory; see the other export. */
  static ExportedModel export(
      RunDirectory run, Path base, long version, double temperature, RunContext context) {
    return export(run, base, version, temperature, null, WeightPrecision.FLOAT32, context);
  }

  /**
   * Publishes the newest checkpoint's model as base/version, compared with the model of the run
   * before anybody can see it.
   *
   * @param base models/NAME
   * @param version positive and not there yet
   * @param temperature divides the memory scores, in the export and in what it is compared with
   * @param retrieval external memory to search; null = none
   * @param precision of the served matrices
   */
  static ExportedModel export(
      RunDirectory run,
      Path base,
      long version,
      double temperature,
      @Nullable RetrievalPlan retrieval,
      WeightPrecision precision,
      RunContext context) {
    Storage storage = context.storage();
    StagedDirectory.sweep(storage, base);
    Map<String, Path> tokenizer = tokenizerFiles(storage, run);
    if (tokenizer.isEmpty()) {
      context
          .console()
          .note(
              run.record().dataDirectory()
                  + " holds no tokenizer; the model will take token ids only, not text");
    }
    context.console().note("exporting " + run.path() + " and comparing it with the run");
    org.lathe.export.savedmodel.ExportRequest exported =
        org.lathe.export.savedmodel.ExportRequest.of(
                run.record().model(), run.record().memory(), run.modelWeights(), base, version)
            .withTemperature(temperature)
            .withPrecision(precision)
            .withAssets(tokenizer)
            .withMetadata(
                ImmutableMap.of(
                    "run", run.record().kind(),
                    "configHash", run.record().configHash(),
                    "dataSha256", run.record().dataSha256()));
    return LanguageModelExporter.export(
        storage, retrieval == null ? exported : exported.withRetrieval(retrieval));
  }

  private static Outcome dryRun(
      RunDirectory run, Path target, long version, double temperature, long memoryBytes) {
    Weights weights = run.modelWeights();
    long sizeBytes = weights.numValues() * Float.BYTES + memoryBytes;
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", target.toString());
    facts.put("version", version);
    facts.put("numParameters", weights.numValues());
    facts.put("sizeBytes", sizeBytes);
    facts.put("temperature", temperature);
    return Outcome.done(
        facts,
        ImmutableList.of(
            String.format(
                "would write %s: %,d parameters in %d variables, %,d bytes and the graph",
                target, weights.numValues(), weights.names().size(), sizeBytes)));
  }

  /** Empty when the data is gone; data of another run is an error, its ids mean other words. */
  private static Map<String, Path> tokenizerFiles(Storage storage, RunDirectory run) {
    Path data = Path.of(run.record().dataDirectory());
    if (!TokenizerStore.exists(storage, data)) {
      return ImmutableMap.of();
    }
    run.data().close();
    ImmutableMap.Builder<String, Path> files = ImmutableMap.builder();
    for (String name : TOKENIZER_FILES) {
      if (storage.exists(data.resolve(name))) {
        files.put(name, data.resolve(name));
      }
    }
    return files.buildOrThrow();
  }

  /** A request to TensorFlow Serving for the model of this name. */
  static String curl(String name) {
    return "curl -d '{\"instances\": [[1, 2, 3]]}' -X POST http://localhost:8501/v1/models/"
        + name
        + ":predict";
  }
}
