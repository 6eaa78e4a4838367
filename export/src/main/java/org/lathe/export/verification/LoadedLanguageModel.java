package org.lathe.export.verification;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;
import org.tensorflow.Result;
import org.tensorflow.Tensor;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * An exported language model, opened by TensorFlow's own loader as a server would. The graph is
 * looked at first and loaded only when all its ops are on the {@link
 * org.lathe.export.format.OpAllowList}. May be used by several threads.
 *
 * <p>Shape letters: B rows, T length, V vocabulary.
 */
public final class LoadedLanguageModel implements AutoCloseable {
  private static final String KIND = "a language model";

  /** Id of what fills up shorter rows. */
  private static final int PADDING = -1;

  /** What {@link #retrieve} fetches, in this order, by type. */
  private static final ImmutableMap<String, String> RETRIEVAL_OUTPUTS =
      ImmutableMap.of(
          SignatureNames.MEMORY_SHARE, "DT_FLOAT",
          SignatureNames.RETRIEVED_SHARES, "DT_FLOAT",
          SignatureNames.RETRIEVED_SCORES, "DT_FLOAT",
          SignatureNames.RETRIEVED_DOCUMENTS, "DT_INT64",
          SignatureNames.RETRIEVED_POSITIONS, "DT_INT64",
          SignatureNames.RETRIEVED_TOKENS, "DT_INT32");

  private final Path directory;
  private final LoadedModel model;
  private final int vocabularySize;

  private LoadedLanguageModel(Path directory, LoadedModel model, int vocabularySize) {
    this.directory = directory;
    this.model = model;
    this.vocabularySize = vocabularySize;
  }

  /** With TensorFlow's default settings; see the other open. */
  public static LoadedLanguageModel open(Storage storage, Path versionDirectory) {
    return open(storage, versionDirectory, ConfigProto.getDefaultInstance());
  }

  /**
   * @param versionDirectory models/NAME/VERSION
   * @param session settings such as the number of threads
   * @throws CorruptFileException when it is no language model that Lathe exported, or damaged
   * @throws FailedException when its graph holds an op that is not allowed
   */
  public static LoadedLanguageModel open(
      Storage storage, Path versionDirectory, ConfigProto session) {
    SavedModelSummary summary = SavedModelInspector.inspect(storage, versionDirectory);
    String source = versionDirectory.resolve(SavedModelInspector.FILE).toString();
    int vocabularySize = requireLanguageModel(summary, source);
    LoadedModel model = LoadedModel.load(storage, versionDirectory, summary, KIND, session);
    return new LoadedLanguageModel(versionDirectory, model, vocabularySize);
  }

  /** V. */
  public int vocabularySize() {
    return vocabularySize;
  }

  public SavedModelSummary summary() {
    return model.summary();
  }

  /**
   * ln P(w | row) of the next token of every row, row-major (B, V).
   *
   * @param prompts rows of ids, each at least one long; shorter rows end with -1 or are shorter
   * @throws FailedException when the model refuses them, for instance as too long
   */
  public float[] nextLogProbabilities(int[][] prompts) {
    return run(SignatureNames.NEXT_TOKEN, prompts, false);
  }

  /**
   * ln P(x_{t+1} | x_1 .. x_t) at t, row-major (B, T - 1) where T is the longest row; 0 where the
   * row has ended.
   *
   * @throws FailedException as above
   */
  public float[] score(int[][] texts) {
    return run(SignatureNames.SCORE, texts, false);
  }

  /**
   * Any of the signatures of {@link SignatureNames}.
   *
   * @param wide feed int64 ids
   */
  public float[] run(String signature, int[][] rows, boolean wide) {
    try (Tensor ids = LoadedModel.integers(rows, PADDING, wide);
        Result result = run(signature, ids, rows.length, List.of(SignatureNames.OUTPUT))) {
      return LoadedModel.floats(result.get(0));
    }
  }

  private Result run(String signature, Tensor ids, int numRows, Collection<String> outputs) {
    return model.run(signature, Map.of(SignatureNames.INPUT, ids), outputs, numRows);
  }

  /** Whether the next-token signatures ask an external memory. */
  public boolean retrieves() {
    return model
        .signature(SignatureNames.NEXT_TOKEN)
        .outputs()
        .containsKey(SignatureNames.MEMORY_SHARE);
  }

  /**
   * What was retrieved for the next token of every row, best first, row-major (B, K).
   *
   * @param numNeighbors K
   * @param memoryShares of each row (B)
   * @param shares of each item
   * @param scores of each item, -1e30 = none
   * @param documents of each item, -1 = none
   * @param positions in the document, -1 = none
   * @param tokens that followed, -1 = none
   */
  public record Retrieved(
      int numNeighbors,
      float[] memoryShares,
      float[] shares,
      float[] scores,
      long[] documents,
      long[] positions,
      int[] tokens) {}

  /**
   * Asks the external memory; only where {@link #retrieves}.
   *
   * @throws FailedException as above
   */
  public Retrieved retrieve(int[][] prompts) {
    Map<String, SavedModelSummary.TensorSpec> outputs =
        model.signature(SignatureNames.NEXT_TOKEN).outputs();
    RETRIEVAL_OUTPUTS.forEach(
        (name, type) -> LoadedModel.tensor(outputs, name, type, KIND, directory.toString()));
    try (Tensor ids = LoadedModel.integers(prompts, PADDING, false);
        Result result =
            run(SignatureNames.NEXT_TOKEN, ids, prompts.length, RETRIEVAL_OUTPUTS.keySet())) {
      Tensor shares = result.get(1);
      int size = Math.toIntExact(shares.shape().size());
      long[] documents = new long[size];
      long[] positions = new long[size];
      int[] tokens = new int[size];
      ((TInt64) result.get(3)).asRawTensor().data().asLongs().read(documents);
      ((TInt64) result.get(4)).asRawTensor().data().asLongs().read(positions);
      ((TInt32) result.get(5)).asRawTensor().data().asInts().read(tokens);
      return new Retrieved(
          (int) shares.shape().get(1),
          LoadedModel.floats(result.get(0)),
          LoadedModel.floats(shares),
          LoadedModel.floats(result.get(2)),
          documents,
          positions,
          tokens);
    }
  }

  @Override
  public void close() {
    model.close();
  }

  /** Returns V after checking names, methods and types of what this class calls. */
  private static int requireLanguageModel(SavedModelSummary summary, String source) {
    List<String> required =
        List.of(SignatureNames.NEXT_TOKEN, SignatureNames.NEXT_TOKEN_INT64, SignatureNames.SCORE);
    List<Long> shape = List.of();
    for (String name : required) {
      SavedModelSummary.Signature signature =
          LoadedModel.requireSignature(summary, name, KIND, source);
      LoadedModel.tensor(signature.inputs(), SignatureNames.INPUT, KIND, source);
      SavedModelSummary.TensorSpec output =
          LoadedModel.tensor(signature.outputs(), SignatureNames.OUTPUT, KIND, source);
      if (name.equals(SignatureNames.NEXT_TOKEN)) {
        shape = output.shape();
      }
    }
    if (shape.size() != 2 || shape.get(1) <= 0 || shape.get(1) > Integer.MAX_VALUE) {
      throw new CorruptFileException(
          source
              + ": the output of serving_default has the shape "
              + shape
              + "; expected [-1, vocabulary size]. Export it again.");
    }
    return shape.get(1).intValue();
  }
}
