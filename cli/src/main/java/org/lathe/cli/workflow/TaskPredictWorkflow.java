package org.lathe.cli.workflow;

import com.google.common.base.Splitter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.evaluation.Softmax;
import org.lathe.training.examples.BatchLength;
import org.lathe.training.examples.EvaluationBatches;
import org.lathe.training.examples.PredictedAnswer;
import org.lathe.training.examples.Question;
import org.lathe.training.examples.RowTargets;
import org.lathe.training.examples.SpanDecoder;
import org.lathe.training.examples.SpanRows;
import org.lathe.training.examples.SpanSettings;
import org.lathe.training.examples.SpanTokenizer;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.examples.TokenRows;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.text.EncodedInput;
import org.lathe.training.text.InputTokenizer;

/**
 * {@code lathe predict} of an encoder with a task: the class of each text and how likely it is, the
 * number, or the answer. A second text stands behind a tab; a question is followed by its context.
 */
final class TaskPredictWorkflow {
  private static final Splitter TAB = Splitter.on('\t').limit(2);

  private final TaskModel model;

  private TaskPredictWorkflow(TaskModel model) {
    this.model = model;
  }

  /**
   * @param model is closed
   * @throws ConfigException for a text without the context that its question needs, or options of
   *     language models
   */
  static Outcome run(PredictRequest request, TaskModel model, RunContext context) {
    try (model) {
      requireNothingOfLanguageModels(request);
      if (model.kind() == TaskKind.SPAN) {
        request.prompts().forEach(TaskPredictWorkflow::requireContext);
      }
      return context.dryRun() ? dryRun(request) : new TaskPredictWorkflow(model).predict(request);
    }
  }

  private static Outcome dryRun(PredictRequest request) {
    return Outcome.done(
        Map.of("model", request.modelOrRun().toString(), "texts", request.prompts().size()),
        List.of("would judge " + request.prompts().size() + " texts"));
  }

  private static void requireContext(String prompt) {
    List<String> texts = TAB.splitToList(prompt);
    if (texts.size() < 2 || texts.get(1).isBlank()) {
      throw new ConfigException(
          "'"
              + texts.get(0)
              + "' has no context; expected a question, a tab and the text that answers it");
    }
  }

  private static void requireNothingOfLanguageModels(PredictRequest request) {
    if (request.store().isPresent() || request.numExplained() > 0) {
      throw new ConfigException(
          request.modelOrRun()
              + " is an encoder with a task, which has no memory; leave out "
              + (request.store().isPresent() ? "--store" : "--explain"));
    }
  }

  private Outcome predict(PredictRequest request) {
    List<Map<String, Object>> predictions = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    try (InputTokenizer tokenizer =
        model.kind() == TaskKind.SPAN
            ? TaskFiles.windows(model.tokenizer(), model.maxLength())
            : InputTokenizer.forTexts(model.tokenizer(), model.maxLength())) {
      for (String prompt : request.prompts()) {
        List<String> texts = TAB.splitToList(prompt);
        Map<String, Object> prediction = new LinkedHashMap<>();
        prediction.put("text", texts.get(0));
        if (texts.size() > 1) {
          prediction.put("secondText", texts.get(1));
        }
        String said =
            model.kind() == TaskKind.SPAN
                ? answer(texts, tokenizer, prediction)
                : judge(texts, tokenizer, prediction);
        predictions.add(prediction);
        lines.add(ShownItems.printable(said + "  " + prompt.replace('\t', ' ')));
      }
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("model", request.modelOrRun().toString());
    facts.put("predictions", predictions);
    return Outcome.done(facts, lines);
  }

  /** A class with its probability, or a number. */
  private String judge(
      List<String> texts, InputTokenizer tokenizer, Map<String, Object> prediction) {
    EncodedInput input = tokenizer.encode(texts.get(0), texts.size() > 1 ? texts.get(1) : null);
    float[] logits = outputs(rows(input, tokenizer)).get(ExampleInput.LOGITS);
    if (model.kind() == TaskKind.REGRESSION) {
      prediction.put("score", (double) Objects.requireNonNull(logits)[0]);
      return String.format(Locale.ROOT, "%.3f", logits[0]);
    }
    double[] probabilities = Softmax.of(Objects.requireNonNull(logits));
    Map<String, Object> byLabel = new LinkedHashMap<>();
    int best = 0;
    for (int c = 0; c < probabilities.length; c++) {
      byLabel.put(label(c), probabilities[c]);
      best = probabilities[c] > probabilities[best] ? c : best;
    }
    prediction.put("label", label(best));
    prediction.put("probabilities", byLabel);
    return String.format(Locale.ROOT, "%s %.3f", label(best), probabilities[best]);
  }

  private String label(int index) {
    return model.labels().isEmpty() ? Integer.toString(index) : model.labels().get(index);
  }

  private static TokenRows rows(EncodedInput input, InputTokenizer tokenizer) {
    return new TokenRows(
        new int[][] {input.ids()},
        new int[][] {input.tokenTypes()},
        RowTargets.NONE,
        tokenizer.definition().padId(),
        tokenizer.maxLength());
  }

  private Map<String, float[]> outputs(TokenRows rows) {
    return model
        .outputs()
        .apply(new EvaluationBatches(rows, TaskModel.BATCH_SIZE, BatchLength.LONGEST).at(0));
  }

  private String answer(
      List<String> texts, InputTokenizer tokenizer, Map<String, Object> prediction) {
    SpanRows rows =
        SpanTokenizer.tokenize(
            List.of(new Question("0", 0, texts.get(0), texts.get(1), List.of())), tokenizer);
    EvaluationBatches batches =
        new EvaluationBatches(rows.rows(), TaskModel.BATCH_SIZE, BatchLength.LONGEST);
    SpanDecoder decoder = new SpanDecoder(rows, SpanSettings.DEFAULT);
    for (int i = 0; i < batches.numBatches(); i++) {
      Map<String, float[]> outputs = model.outputs().apply(batches.at(i));
      decoder.add(
          batches.at(i),
          Objects.requireNonNull(outputs.get(ExampleInput.STARTS)),
          Objects.requireNonNull(outputs.get(ExampleInput.ENDS)));
    }
    List<PredictedAnswer> best = decoder.best(0);
    String text = best.isEmpty() ? "" : best.get(0).text();
    prediction.put("answer", text);
    if (!best.isEmpty()) {
      prediction.put("start", best.get(0).start());
      prediction.put("score", (double) best.get(0).score());
    }
    return text;
  }
}
