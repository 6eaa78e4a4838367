package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.TaskSection;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.VersionFiles;
import org.lathe.export.verification.LoadedEncoder;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.evaluation.EncoderRunner;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.text.TokenizerDefinition;

/**
 * An encoder with the head of a task and the tokenizer it was trained with, exported or still in
 * its run.
 *
 * @param kind of the task
 * @param labels of classes; empty where they have no names
 * @param maxLength most tokens of a row
 * @param outputs of a batch by the names of {@link ExampleInput}, row-major; of a run one row a
 *     batch
 */
record TaskModel(
    TaskKind kind,
    List<String> labels,
    int maxLength,
    TokenizerDefinition tokenizer,
    Function<ExampleBatch, Map<String, float[]>> outputs,
    Runnable closeModel)
    implements AutoCloseable {
  static final int BATCH_SIZE = 1;

  /** The best model of a run. */
  static TaskModel ofRun(RunDirectory run, EncoderRecord encoder, Overrides overrides) {
    RunConfig config = run.config(overrides);
    if (encoder.kind() == TaskKind.MASKED_LM) {
      throw new ConfigException(
          run.path()
              + " guesses hidden tokens and has no task; fine-tune it first, with"
              + " task.pretrained="
              + run.path());
    }
    TokenizerDefinition tokenizer = TokenizerDefinition.fromJson(run.tokenizerJson());
    EncoderRunner runner = encoder.runner(run, BATCH_SIZE, config.threads());
    return new TaskModel(
        encoder.kind(),
        encoder.labels(),
        maxLength(encoder, config.task()),
        tokenizer,
        runner::outputs,
        runner::close);
  }

  /** Tokens at which a text is cut: as in training, but never beyond the encoder's positions. */
  static int maxLength(EncoderRecord encoder, TaskSection task) {
    return Math.min(encoder.config().maxLength(), task.maxLength());
  }

  /**
   * An exported version.
   *
   * @throws ConfigException when it was exported without its tokenizer
   */
  static TaskModel exported(Storage storage, Path version) {
    Path definition = version.resolve(VersionFiles.EXTRA).resolve(TokenizerDefinition.JSON_FILE);
    if (!storage.exists(definition)) {
      throw new ConfigException(
          version
              + " was exported without a tokenizer.json, so it cannot read text; export its run"
              + " again, or send token ids to its server");
    }
    TokenizerDefinition tokenizer = TokenizerDefinition.read(storage, definition);
    LoadedEncoder model = LoadedEncoder.open(storage, version);
    return new TaskModel(
        kind(model),
        model.facts().labels(),
        model.facts().taskLength(),
        tokenizer,
        batch -> outputs(model, batch),
        model::close);
  }

  private static TaskKind kind(LoadedEncoder model) {
    return model.outputs().contains(EncoderSignatures.SCORE)
        ? TaskKind.REGRESSION
        : model.outputs().contains(EncoderSignatures.START_LOGITS)
            ? TaskKind.SPAN
            : TaskKind.CLASSIFICATION;
  }

  private static Map<String, float[]> outputs(LoadedEncoder model, ExampleBatch batch) {
    Map<String, float[]> served =
        model.run(
            EncoderSignatures.SERVING,
            Map.of(
                SignatureNames.INPUT, rows(batch.ids(), batch),
                EncoderSignatures.ATTENTION_MASK, rows(batch.mask(), batch),
                EncoderSignatures.TOKEN_TYPES, rows(batch.tokenTypes(), batch)));
    return switch (kind(model)) {
      case CLASSIFICATION -> Map.of(ExampleInput.LOGITS, of(served, EncoderSignatures.LOGITS));
      case REGRESSION -> Map.of(ExampleInput.LOGITS, of(served, EncoderSignatures.SCORE));
      case MASKED_LM -> throw new IllegalStateException("no masked-LM head is exported");
      case SPAN ->
          Map.of(
              ExampleInput.STARTS, of(served, EncoderSignatures.START_LOGITS),
              ExampleInput.ENDS, of(served, EncoderSignatures.END_LOGITS));
    };
  }

  private static int[][] rows(int[] values, ExampleBatch batch) {
    int[][] rows = new int[batch.batchSize()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(values, i * batch.length(), (i + 1) * batch.length());
    }
    return rows;
  }

  private static float[] of(Map<String, float[]> served, String name) {
    return Objects.requireNonNull(served.get(name), name);
  }

  @Override
  public void close() {
    closeModel.run();
  }
}
