package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.TaskSection;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.evaluation.EncoderRunner;
import org.lathe.training.evaluation.TaskScorer;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.Uncertainty;
import org.lathe.training.text.TokenizerDefinition;

/** {@code lathe evaluate} of an encoder: the task's metrics on one of its splits. */
final class TaskEvaluateWorkflow {
  private TaskEvaluateWorkflow() {}

  static Outcome run(
      RunDirectory run, EncoderRecord encoder, EvaluateRequest request, RunContext context) {
    if (request.memories().stream().anyMatch(kind -> kind != MemoryKind.NONE)) {
      throw new ConfigException(
          run.path() + " is an encoder with a task, which has no --memory; leave it out");
    }
    if (request.data().isPresent()) {
      throw new ConfigException(
          "--data is prepared text for a language model, but "
              + run.path()
              + " is an encoder with a task; name its files instead, such as --set task.test=[FILE]"
              + " --split test");
    }
    if (request.tune()) {
      throw new ConfigException(
          "--tune chooses how memory is mixed in, but "
              + run.path()
              + " is an encoder with a task, which has none; leave it out");
    }
    RunConfig config = run.config(request.overrides());
    TaskConfigs.requireLength(config.task(), encoder.config(), run.path().toString());
    TokenizerDefinition definition = TokenizerDefinition.fromJson(run.tokenizerJson());
    try (TaskFiles files = TaskFiles.open(context, config.task(), definition, encoder.labels())) {
      TaskFiles.Split split = files.read(request.split(), paths(config.task(), request.split()), 0);
      if (context.dryRun()) {
        request.served().ifPresent(version -> open(version, run, encoder, files, context).close());
        return dryRun(request, split.numExamples());
      }
      TaskScorer scorer = new TaskScorer(files.metrics(), config.training().batchSize());
      Map<Metric, Double> scores =
          request.served().isPresent()
              ? served(request.served().get(), run, encoder, split, scorer, files, context)
              : ofRun(run, encoder, config, split, scorer, files);
      return outcome(request, files.kind(), scores, split.numExamples());
    }
  }

  private static Outcome dryRun(EvaluateRequest request, int numExamples) {
    return Outcome.done(
        Map.of("split", request.split(), "examples", numExamples),
        List.of(
            String.format(
                Locale.ROOT, "would score %,d examples of %s", numExamples, request.split())));
  }

  private static Map<Metric, Double> ofRun(
      RunDirectory run,
      EncoderRecord encoder,
      RunConfig config,
      TaskFiles.Split split,
      TaskScorer scorer,
      TaskFiles files) {
    try (EncoderRunner runner =
        encoder.runner(run, config.training().batchSize(), config.threads())) {
      return split.score(scorer, files.kind(), runner::outputs);
    }
  }

  /** What a server of this version would answer to the run's examples. */
  private static Map<Metric, Double> served(
      Path exported,
      RunDirectory run,
      EncoderRecord encoder,
      TaskFiles.Split split,
      TaskScorer scorer,
      TaskFiles files,
      RunContext context) {
    try (TaskModel model = open(exported, run, encoder, files, context)) {
      return split.score(scorer, files.kind(), model.outputs());
    }
  }

  private static TaskModel open(
      Path exported, RunDirectory run, EncoderRecord encoder, TaskFiles files, RunContext context) {
    Path version = ModelVersions.resolve(context.storage(), exported);
    TaskModel model = TaskModel.exported(context.storage(), version);
    if (model.kind() != files.kind()
        || !model.labels().equals(encoder.labels())
        || !model.tokenizer().json().equals(run.tokenizerJson())) {
      model.close();
      throw new ConfigException(
          version
              + " has another task, other labels or another tokenizer than "
              + run.path()
              + "; expected a version that was exported from this run, or from one pruned from"
              + " it");
    }
    return model;
  }

  private static List<String> paths(TaskSection task, String split) {
    return switch (split) {
      case "train" -> task.train();
      case "valid" -> task.valid();
      default -> task.test();
    };
  }

  private static Outcome outcome(
      EvaluateRequest request, TaskKind kind, Map<Metric, Double> scores, int numExamples) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("split", request.split());
    request.served().ifPresent(version -> facts.put("served", version.toString()));
    facts.put("examples", numExamples);
    List<String> lines = new ArrayList<>();
    scores.forEach(
        (metric, value) -> {
          facts.put(metric.word(), value);
          String line = String.format(Locale.ROOT, "%-12s %.4f", metric.word(), value);
          // of hidden tokens it is a share of tokens, which are not independent of each other
          if (metric == Metric.ACCURACY && kind != TaskKind.MASKED_LM) {
            double error = Uncertainty.standardError(value, numExamples);
            facts.put("standardError", error);
            line += String.format(Locale.ROOT, " (standard error %.4f)", error);
          }
          lines.add(line);
        });
    lines.add(String.format(Locale.ROOT, "%,d examples of %s", numExamples, request.split()));
    return Outcome.done(facts, lines);
  }
}
