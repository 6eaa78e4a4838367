package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.data.CorpusReader;
import org.lathe.training.data.PreparedData;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ModelEncoder;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.datastore.SourceText;
import org.lathe.training.datastore.StoreIdentity;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.ModelFingerprint;

/** A run's model and a text for it, from which keys are made. */
final class StoreText implements AutoCloseable {
  private final Path path;
  private final RunConfig config;
  private final TransformerConfig model;
  private final MemoryConfig memory;
  private final Weights weights;
  private final PreparedData data;
  private final SourceText text;

  private StoreText(
      RunDirectory run, RunConfig config, PreparedData data, Weights weights, SourceText text) {
    this.path = run.path();
    this.config = config;
    this.model = run.record().model();
    this.memory = run.record().memory();
    this.data = data;
    this.weights = weights;
    this.text = text;
  }

  static StoreText open(
      Storage storage, Path path, DatastoreRequest.Text request, Overrides overrides) {
    RunDirectory run = RunDirectory.open(storage, path);
    RunConfig config = run.config(overrides);
    PreparedData data =
        request.data().map(other -> PreparedData.open(storage, other)).orElseGet(run::data);
    try {
      requireTokenizer(run, data);
      SourceText text =
          request.files().isEmpty()
              ? SourceText.of(
                  request.data().map(other -> name(List.of(other)) + " ").orElse("")
                      + request.split(),
                  split(data, request.split()),
                  config.evaluation().storeTokens())
              : SourceText.of(
                  name(request.files()),
                  CorpusReader.read(storage, request.files(), TaskConfigs.data(config).format()),
                  data.tokenizer());
      return new StoreText(run, config, data, run.modelWeights(), text);
    } catch (RuntimeException e) {
      data.close();
      throw e;
    }
  }

  private static void requireTokenizer(RunDirectory run, PreparedData data) {
    try (PreparedData own = run.data()) {
      run.requireTokenizer(own, data);
    }
  }

  private static TokenFile split(PreparedData data, String split) {
    return switch (split) {
      case "train" -> data.train();
      case "valid" -> data.valid();
      case "test" -> data.test();
      default ->
          throw new ConfigException(
              "split '" + split + "' does not exist; choose train, valid or test");
    };
  }

  private static String name(List<Path> files) {
    return files.size() == 1
        ? String.valueOf(files.get(0).toAbsolutePath().normalize().getFileName())
        : files.size() + " files";
  }

  SourceText text() {
    return text;
  }

  String modelFingerprint() {
    return ModelFingerprint.of(model, weights);
  }

  String tokenizerFingerprint() {
    return data.tokenizer().fingerprint();
  }

  /** Of a new store with this model's keys. */
  StoreIdentity identity(boolean separateDocuments) {
    requireWindow(config.evaluation().window());
    return new StoreIdentity(
        model.tapWidth(),
        NeighborSearch.Metric.of(memory.objective()),
        memory.scoreScale(),
        model.vocabularySize(),
        config.evaluation().window(),
        config.evaluation().stride(),
        separateDocuments,
        modelFingerprint(),
        tokenizerFingerprint());
  }

  private void requireWindow(int window) {
    if (window > model.maxPositions()) {
      throw new ConfigException(
          "evaluation.window is "
              + window
              + ", but the model of "
              + path
              + " has "
              + model.maxPositions()
              + " positions; use a smaller window with --set evaluation.window=N");
    }
  }

  ModelEncoder encoder() {
    return new ModelEncoder(model, weights, path.toString(), config.threads());
  }

  @Override
  public void close() {
    data.close();
  }
}
