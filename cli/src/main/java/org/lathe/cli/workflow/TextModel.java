package org.lathe.cli.workflow;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.lathe.training.text.Tokenizer;
import org.lathe.training.text.TokenizerStore;
import org.tensorflow.proto.ConfigProto;

/** A tokenizer and the model that was trained on its ids, exported or still in its run. */
final class TextModel implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final int maxPositions;
  private final Function<int[], float[]> nextLogProbabilities;
  private final Runnable closeModel;

  private TextModel(
      Tokenizer tokenizer,
      int maxPositions,
      Function<int[], float[]> nextLogProbabilities,
      Runnable closeModel) {
    this.tokenizer = tokenizer;
    this.maxPositions = maxPositions;
    this.nextLogProbabilities = nextLogProbabilities;
    this.closeModel = closeModel;
  }

  /**
   * @param modelOrRun models/NAME, models/NAME/VERSION or a run
   * @throws ConfigException when it is none of these, or has no tokenizer
   */
  static TextModel open(Storage storage, Path modelOrRun, Overrides overrides) {
    return RunDirectory.exists(storage, modelOrRun)
        ? ofRun(storage, modelOrRun, overrides)
        : exported(storage, ModelVersions.resolve(storage, modelOrRun), overrides);
  }

  private static TextModel ofRun(Storage storage, Path path, Overrides overrides) {
    RunDirectory run = RunDirectory.open(storage, path);
    run.requireNotRecurrent("asked for a continuation");
    RunConfig config = run.config(overrides);
    // opening all of the data checks that the tokenizer is the one of the run
    run.data().close();
    Tokenizer tokenizer = TokenizerStore.read(storage, Path.of(run.record().dataDirectory()));
    try {
      GraphReference model =
          new GraphReference(
              run.record().model(),
              run.record().memory(),
              run.modelWeights(),
              config.export().temperature(),
              session(config.threads()));
      return new TextModel(
          tokenizer,
          run.record().model().maxPositions(),
          ids -> model.nextLogProbabilities(new int[][] {ids})[0],
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
          ids -> model.nextLogProbabilities(new int[][] {ids}),
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

  /** ln P(w | ids) of every word w. */
  float[] nextLogProbabilities(int[] ids) {
    return nextLogProbabilities.apply(ids);
  }

  @Override
  public void close() {
    tokenizer.close();
    closeModel.run();
  }
}
