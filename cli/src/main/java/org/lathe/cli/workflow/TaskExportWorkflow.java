package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.Overrides;
import org.lathe.export.savedmodel.EncoderExportRequest;
import org.lathe.export.savedmodel.EncoderExporter;
import org.lathe.export.savedmodel.ExportedModel;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.text.TokenizerDefinition;

/** {@code lathe export} of an encoder with a task: the best model of its run as a SavedModel. */
final class TaskExportWorkflow {
  private TaskExportWorkflow() {}

  /**
   * @param version free below {@code request.out()}
   */
  static Outcome run(
      RunDirectory run,
      EncoderRecord encoder,
      ExportRequest request,
      long version,
      RunContext context) {
    if (request.store().isPresent()) {
      throw new ConfigException(
          run.path() + " is an encoder with a task, which searches no --store; leave it out");
    }
    if (encoder.head().kind() == HeadConfig.Kind.MASKED_LM) {
      throw new ConfigException(
          run.path()
              + " guesses hidden tokens and has no task to be served; fine-tune it first, with"
              + " task.pretrained="
              + run.path());
    }
    Weights weights = run.encoderWeights(encoder.head());
    Path target = request.out().resolve(Long.toString(version));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", target.toString());
    facts.put("version", version);
    facts.put("numParameters", weights.numValues());
    if (context.dryRun()) {
      return Outcome.done(
          facts,
          List.of(
              String.format(
                  Locale.ROOT, "would write %s: %,d parameters", target, weights.numValues())));
    }
    StagedDirectory.sweep(context.storage(), request.out());
    context.console().note("exporting " + run.path() + " and comparing it with the run");
    int paddingId = TokenizerDefinition.fromJson(run.tokenizerJson()).padId();
    ExportedModel exported =
        EncoderExporter.export(
            context.storage(),
            EncoderExportRequest.of(
                    encoder.config(), encoder.head(), weights, request.out(), version, paddingId)
                .withTaskLength(TaskModel.maxLength(encoder, run.config(Overrides.NONE).task()))
                .withPrecision(request.precision())
                .withLabels(encoder.labels())
                .withAssets(
                    ImmutableMap.of(
                        TokenizerDefinition.JSON_FILE,
                        run.path().resolve(TokenizerDefinition.JSON_FILE)))
                .withMetadata(
                    ImmutableMap.of(
                        "run", run.record().kind(),
                        "configHash", run.record().configHash(),
                        "dataSha256", run.record().dataSha256())));
    facts.put("sizeBytes", exported.sizeBytes());
    facts.put("maxDifference", exported.maxDifference());
    facts.putAll(ExportWorkflow.rounding(request.precision(), exported));
    ImmutableList.Builder<String> lines = ImmutableList.builder();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %,d parameters, %,d bytes; reloaded, largest difference to the run %.2g",
            exported.directory(),
            exported.numParameters(),
            exported.sizeBytes(),
            exported.maxDifference()));
    lines.addAll(ExportWorkflow.roundingLines(request.precision(), exported));
    lines.add("next: lathe verify " + exported.directory());
    return Outcome.done(facts, lines.build());
  }
}
