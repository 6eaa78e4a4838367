package org.lathe.cli.workflow;

import com.google.common.primitives.Floats;
import com.google.common.primitives.Ints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.verification.LoadedEncoder;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.text.TokenizerKind;

/**
 * {@code lathe predict}: continues texts by the most likely token, again and again; what an encoder
 * with a task says of a text is left to {@link TaskPredictWorkflow}.
 */
final class PredictWorkflow {
  private PredictWorkflow() {}

  /**
   * What was added to one prompt.
   *
   * @param explanations of the tokens; null = not asked for
   */
  private record Completion(
      String text,
      int[] tokens,
      float[] logProbabilities,
      @Nullable TokenExplanations explanations) {}

  static Outcome run(PredictRequest request, RunContext context) {
    requireText(request.prompts());
    TaskModel encoder = encoder(request, context);
    if (encoder != null) {
      return TaskPredictWorkflow.run(request, encoder, context);
    }
    try (TextModel model = TextModel.open(request, context)) {
      requireMemory(request, model);
      List<int[]> prompts = new ArrayList<>();
      for (String prompt : request.prompts()) {
        prompts.add(encode(model, prompt, context));
      }
      Map<String, Object> facts = facts(request, model);
      if (context.dryRun()) {
        List<Integer> numTokens = prompts.stream().map(prompt -> prompt.length).toList();
        facts.put("numPromptTokens", numTokens);
        return Outcome.done(
            facts,
            List.of(
                "would add "
                    + request.numTokens()
                    + " tokens to each of "
                    + prompts.size()
                    + " prompts of "
                    + numTokens
                    + " tokens"));
      }
      List<Map<String, Object>> predictions = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      SameNames sameNames = new SameNames();
      boolean words = model.tokenizer().kind().equals(TokenizerKind.WORD.word());
      for (int i = 0; i < prompts.size(); i++) {
        String prompt = request.prompts().get(i);
        Completion completion = complete(model, prompts.get(i), request, sameNames);
        Map<String, Object> prediction = new LinkedHashMap<>();
        prediction.put("prompt", prompt);
        prediction.put("completion", completion.text());
        prediction.put("tokens", Ints.asList(completion.tokens()));
        prediction.put("logProbabilities", Floats.asList(completion.logProbabilities()));
        lines.add(ShownItems.printable(prompt + (words ? " " : "") + completion.text()));
        if (completion.explanations() != null) {
          prediction.put("explanations", completion.explanations().facts());
          lines.addAll(completion.explanations().lines());
        }
        predictions.add(prediction);
      }
      sameNames.warn(context.console());
      facts.put("predictions", predictions);
      return Outcome.done(facts, lines);
    }
  }

  /** The encoder that the request names, or null for a language model. */
  private static @Nullable TaskModel encoder(PredictRequest request, RunContext context) {
    Path path = request.modelOrRun();
    if (RunDirectory.exists(context.storage(), path)) {
      RunDirectory run = RunDirectory.open(context.storage(), path);
      EncoderRecord encoder = run.record().encoder();
      return encoder == null ? null : TaskModel.ofRun(run, encoder, request.overrides());
    }
    Path version = ModelVersions.resolve(context.storage(), path);
    return LoadedEncoder.isEncoder(SavedModelInspector.inspect(context.storage(), version))
        ? TaskModel.exported(context.storage(), version)
        : null;
  }

  private static void requireMemory(PredictRequest request, TextModel model) {
    if (request.numExplained() > 0 && model.memory() != null && !model.memory().remembers()) {
      throw new ConfigException(
          request.modelOrRun()
              + " was trained without memory, so --explain has nothing to take apart; give it a"
              + " store with --store STORE");
    }
  }

  private static Map<String, Object> facts(PredictRequest request, TextModel model) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("model", request.modelOrRun().toString());
    MemoryModel memory = model.memory();
    if (memory != null && memory.external() != null) {
      facts.put("store", memory.external().name());
      facts.put("numItems", memory.external().numItems());
      facts.put("mixing", MixingFacts.of(memory.mixing()));
    }
    return facts;
  }

  private static void requireText(List<String> prompts) {
    for (int i = 0; i < prompts.size(); i++) {
      if (prompts.get(i).isEmpty()) {
        throw new ConfigException(
            "prompt " + (i + 1) + " is empty; give at least one character to continue");
      }
    }
  }

  private static int[] encode(TextModel model, String prompt, RunContext context) {
    int[] tokens = model.tokenizer().encode(prompt);
    if (tokens.length == 0) {
      throw new ConfigException(
          "the prompt '" + prompt + "' has no token in this vocabulary; give a longer one");
    }
    if (tokens.length <= model.maxPositions()) {
      return tokens;
    }
    int kept = Math.max(1, model.maxPositions() - 1);
    context
        .console()
        .note(
            "a prompt of "
                + tokens.length
                + " tokens is longer than the model's "
                + model.maxPositions()
                + " positions; its last "
                + kept
                + " are used");
    return Arrays.copyOfRange(tokens, tokens.length - kept, tokens.length);
  }

  private static Completion complete(
      TextModel model, int[] prompt, PredictRequest request, SameNames sameNames) {
    int numTokens = request.numTokens();
    int[] sequence = Arrays.copyOf(prompt, prompt.length + numTokens);
    float[] logProbabilities = new float[numTokens];
    @Nullable TokenExplanations explanations = explanations(model, request, sameNames);
    for (int i = 0; i < numTokens; i++) {
      int end = prompt.length + i;
      // a long text moves through the model's window
      int start = Math.max(0, end - model.maxPositions());
      TextModel.Next next = model.after(Arrays.copyOfRange(sequence, start, end));
      int best = mostLikely(next.logProbabilities(), model.tokenizer().vocabularySize());
      sequence[end] = best;
      logProbabilities[i] = (float) next.logProbabilities()[best];
      if (explanations != null && next.apart() != null) {
        explanations.add(next.apart().explain(best), Arrays.copyOf(sequence, end), start);
      }
    }
    int[] tokens = Arrays.copyOfRange(sequence, prompt.length, sequence.length);
    return new Completion(model.tokenizer().decode(tokens), tokens, logProbabilities, explanations);
  }

  private static @Nullable TokenExplanations explanations(
      TextModel model, PredictRequest request, SameNames sameNames) {
    return request.numExplained() == 0 || model.memory() == null
        ? null
        : new TokenExplanations(
            model.tokenizer(), model.memory().external(), request.numExplained(), sameNames);
  }

  /** The first of the largest. */
  private static int mostLikely(double[] logProbabilities, int count) {
    int best = 0;
    for (int w = 1; w < count; w++) {
      if (logProbabilities[w] > logProbabilities[best]) {
        best = w;
      }
    }
    return best;
  }
}
