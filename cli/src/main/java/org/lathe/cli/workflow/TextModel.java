package org.lathe.cli.workflow;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Floats;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.training.evaluation.NextToken;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.lathe.training.text.Tokenizer;
import org.lathe.training.text.TokenizerStore;
import org.tensorflow.proto.ConfigProto;

/** A tokenizer and the model that was trained on its ids, exported or still in its run. */
final class TextModel implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final int maxPositions;
  private final Function<int[], Next> after;
  private final @Nullable MemoryModel memory;
  private final Runnable closeModel;

  /**
   * What a model says about the token after a text.
   *
   * @param logProbabilities ln P(w) of every word w
   * @param apart the same, which can be taken apart; null where the model is exported
   */
  record Next(double[] logProbabilities, @Nullable NextToken apart) {}

  private TextModel(
      Tokenizer tokenizer,
      int maxPositions,
      Function<int[], Next> after,
      @Nullable MemoryModel memory,
      Runnable closeModel) {
    this.tokenizer = tokenizer;
    this.maxPositions = maxPositions;
    this.after = after;
    this.memory = memory;
    this.closeModel = closeModel;
  }

  /**
   * @throws ConfigException when the request names neither models/NAME, models/NAME/VERSION nor a
   *     run, or one without a tokenizer, or asks a model for what only a run can do
   */
  static TextModel open(PredictRequest request, RunContext context) {
    Path path = request.modelOrRun();
    if (RunDirectory.exists(context.storage(), path)) {
      return ofRun(request, context);
    }
    Path version = ModelVersions.resolve(context.storage(), path);
    requireNothingOfRuns(version, request);
    return exported(context.storage(), version, request.overrides());
  }

  private static void requireNothingOfRuns(Path directory, PredictRequest request) {
    String advice = " it was exported from: 'lathe predict RUN --store STORE --explain N'";
    if (request.store().isPresent()) {
      throw new ConfigException(
          "--store needs a run, but "
              + directory
              + " is an exported model, whose memory is the one that it was exported with; name the run that"
              + advice);
    }
    if (request.numExplained() > 0) {
      throw new ConfigException(
          "--explain needs a run, but "
              + directory
              + " is an exported model, which tells probabilities only; name the run that"
              + advice);
    }
  }

  private static TextModel ofRun(PredictRequest request, RunContext context) {
    Storage storage = context.storage();
    RunDirectory run = RunDirectory.open(storage, request.modelOrRun());
    run.requireNotRecurrent("asked for a continuation");
    RunConfig config = run.config(request.overrides());
    // opening all of the data checks that the tokenizer is the one of the run
    run.data().close();
    Tokenizer tokenizer = TokenizerStore.read(storage, Path.of(run.record().dataDirectory()));
    try {
      MemoryModel model = MemoryModel.open(run, config, request.store(), context.console());
      return new TextModel(
          tokenizer,
          run.record().model().maxPositions(),
          ids -> {
            NextToken next = model.after(ids);
            return new Next(next.logProbabilities(), next);
          },
          model,
          model::close);
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static TextModel exported(Storage storage, Path directory, Overrides overrides) {
    for (String assignment : overrides.assignments()) {
      if (!assignment.startsWith("threads=") && !assignment.startsWith("seed=")) {
        throw new ConfigException(
            "--set "
                + assignment
                + " has no effect on "
                + directory
                + ": an exported model is finished; change the export instead");
      }
    }
    RunConfig config = RunConfigReader.fromJson(JsonNodeFactory.instance.objectNode(), overrides);
    Path extra = directory.resolve(LanguageModelExporter.EXTRA);
    if (!TokenizerStore.exists(storage, extra)) {
      throw new ConfigException(
          directory
              + " was exported without a tokenizer, so it cannot read text; prepare the run's data"
              + " again and export once more, or send token ids to its server");
    }
    int maxPositions = maxPositions(storage, extra.resolve(LanguageModelExporter.SIGNATURE));
    Tokenizer tokenizer = TokenizerStore.read(storage, extra);
    try {
      LoadedLanguageModel model =
          LoadedLanguageModel.open(storage, directory, session(config.threads()));
      if (model.vocabularySize() < tokenizer.vocabularySize()) {
        model.close();
        throw new GraphMismatchException(
            directory
                + " knows "
                + model.vocabularySize()
                + " words, its tokenizer "
                + tokenizer.vocabularySize()
                + ". Export the model again.");
      }
      return new TextModel(
          tokenizer,
          maxPositions,
          ids ->
              new Next(
                  Doubles.toArray(Floats.asList(model.nextLogProbabilities(new int[][] {ids}))),
                  null),
          null,
          model::close);
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static int maxPositions(Storage storage, Path signatureFile) {
    if (JsonFile.read(storage, signatureFile).get("model") instanceof Map<?, ?> model
        && model.get("maxPositions") instanceof Long found
        && found > 0
        && found <= Integer.MAX_VALUE) {
      return found.intValue();
    }
    throw new CorruptFileException(
        signatureFile
            + " has no whole number from 1 at model.maxPositions. Copy the directory again or"
            + " export the model again.");
  }

  private static ConfigProto session(int threads) {
    return ConfigProto.newBuilder().setIntraOpParallelismThreads(threads).build();
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Longest row of ids that the model takes. */
  int maxPositions() {
    return maxPositions;
  }

  /** What comes after these ids. */
  Next after(int[] ids) {
    return after.apply(ids);
  }

  /** The memories of a run; null where the model is exported. */
  @Nullable MemoryModel memory() {
    return memory;
  }

  @Override
  public void close() {
    tokenizer.close();
    closeModel.run();
  }
}
