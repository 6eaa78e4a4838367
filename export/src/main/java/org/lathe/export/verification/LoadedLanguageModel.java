package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.lathe.export.format.OpAllowList;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;
import org.tensorflow.Result;
import org.tensorflow.SavedModelBundle;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.exceptions.TensorFlowException;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * An exported language model, opened by TensorFlow's own loader as a server would. The graph is
 * looked at first and loaded only when all its ops are on the {@link OpAllowList}. May be used by
 * several threads.
 *
 * <p>Shape letters: B rows, T length, V vocabulary.
 */
public final class LoadedLanguageModel implements AutoCloseable {
  private final Path directory;
  private final SavedModelBundle bundle;
  private final SavedModelSummary summary;
  private final int vocabularySize;

  private LoadedLanguageModel(
      Path directory, SavedModelBundle bundle, SavedModelSummary summary, int vocabularySize) {
    this.directory = directory;
    this.bundle = bundle;
    this.summary = summary;
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
    OpAllowList.check(summary.graph(), source);
    Path index = versionDirectory.resolve("variables").resolve("variables.index");
    // TensorFlow loads a model without its variables and calls it a success
    if (!summary.variables().isEmpty() && !storage.exists(index)) {
      throw new CorruptFileException(
          index
              + " is missing, but the graph has "
              + summary.variables().size()
              + " variables. Copy the directory again or export the model again.");
    }
    try {
      SavedModelBundle bundle =
          SavedModelBundle.loader(versionDirectory.toString())
              .withTags(SignatureNames.TAG)
              .withConfigProto(session)
              .load();
      return new LoadedLanguageModel(versionDirectory, bundle, summary, vocabularySize);
    } catch (TensorFlowException | IllegalArgumentException | IllegalStateException e) {
      throw new CorruptFileException(
          versionDirectory
              + " does not load: "
              + firstLine(e)
              + ". Copy the directory again or export the model again.",
          e);
    }
  }

  /** V. */
  public int vocabularySize() {
    return vocabularySize;
  }

  public SavedModelSummary summary() {
    return summary;
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
    String output =
        tensor(called(signature).outputs(), SignatureNames.OUTPUT, directory.toString()).tensor();
    try (Tensor ids = wide ? wideIds(rows) : narrowIds(rows);
        Result result = run(signature, ids, rows.length, List.of(output))) {
      return floats(result.get(0));
    }
  }

  private SavedModelSummary.Signature called(String signature) {
    SavedModelSummary.Signature called = summary.signatures().get(signature);
    Preconditions.checkArgument(called != null, "no signature is called '%s'", signature);
    return Objects.requireNonNull(called);
  }

  private Result run(String signature, Tensor ids, int numRows, List<String> fetched) {
    String input =
        tensor(called(signature).inputs(), SignatureNames.INPUT, directory.toString()).tensor();
    Session.Runner runner = bundle.session().runner().feed(input, ids);
    fetched.forEach(runner::fetch);
    try {
      return runner.run();
    } catch (TensorFlowException | IllegalArgumentException e) {
      throw new FailedException(
          "The model in " + directory + " refused " + numRows + " rows: " + firstLine(e), e);
    }
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.shape().size())];
    ((TFloat32) tensor).asRawTensor().data().asFloats().read(values);
    return values;
  }

  /** Whether the next-token signatures ask an external memory. */
  public boolean retrieves() {
    return called(SignatureNames.NEXT_TOKEN).outputs().containsKey(SignatureNames.MEMORY_SHARE);
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
    Map<String, SavedModelSummary.TensorSpec> outputs = called(SignatureNames.NEXT_TOKEN).outputs();
    String source = directory.toString();
    List<String> fetched =
        List.of(
            tensor(outputs, SignatureNames.MEMORY_SHARE, "DT_FLOAT", source),
            tensor(outputs, SignatureNames.RETRIEVED_SHARES, "DT_FLOAT", source),
            tensor(outputs, SignatureNames.RETRIEVED_SCORES, "DT_FLOAT", source),
            tensor(outputs, SignatureNames.RETRIEVED_DOCUMENTS, "DT_INT64", source),
            tensor(outputs, SignatureNames.RETRIEVED_POSITIONS, "DT_INT64", source),
            tensor(outputs, SignatureNames.RETRIEVED_TOKENS, "DT_INT32", source));
    try (Tensor ids = narrowIds(prompts);
        Result result = run(SignatureNames.NEXT_TOKEN, ids, prompts.length, fetched)) {
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
          floats(result.get(0)),
          floats(shares),
          floats(result.get(2)),
          documents,
          positions,
          tokens);
    }
  }

  @Override
  public void close() {
    bundle.close();
  }

  /** Returns V after checking names, methods and types of what this class calls. */
  private static int requireLanguageModel(SavedModelSummary summary, String source) {
    List<String> required =
        List.of(SignatureNames.NEXT_TOKEN, SignatureNames.NEXT_TOKEN_INT64, SignatureNames.SCORE);
    List<Long> shape = List.of();
    for (String name : required) {
      SavedModelSummary.Signature signature = summary.signatures().get(name);
      if (signature == null || !signature.method().equals(SignatureNames.METHOD)) {
        throw new CorruptFileException(
            source
                + " has no signature '"
                + name
                + "' with the method "
                + SignatureNames.METHOD
                + "; it has "
                + summary.signatures().keySet()
                + ". Use a language model that Lathe exported.");
      }
      tensor(signature.inputs(), SignatureNames.INPUT, source);
      SavedModelSummary.TensorSpec output =
          tensor(signature.outputs(), SignatureNames.OUTPUT, source);
      if (name.equals(SignatureNames.NEXT_TOKEN)) {
        shape = output.shape();
      }
    }
    if (!summary.tags().contains(SignatureNames.TAG)) {
      throw new CorruptFileException(
          source + " has the tags " + summary.tags() + "; expected 'serve'. Export it again.");
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

  private static SavedModelSummary.TensorSpec tensor(
      Map<String, SavedModelSummary.TensorSpec> specs, String name, String source) {
    SavedModelSummary.TensorSpec spec = specs.get(name);
    if (spec == null) {
      throw new CorruptFileException(
          source
              + ": a signature lacks '"
              + name
              + "', it has "
              + specs.keySet()
              + ". Use a language model that Lathe exported.");
    }
    return spec;
  }

  /** Its name in the graph. */
  private static String tensor(
      Map<String, SavedModelSummary.TensorSpec> specs, String name, String type, String source) {
    SavedModelSummary.TensorSpec spec = tensor(specs, name, source);
    if (!spec.type().equals(type)) {
      throw new CorruptFileException(
          source
              + ": the output '"
              + name
              + "' has the type "
              + spec.type()
              + "; expected "
              + type
              + ". Use a language model that Lathe exported.");
    }
    return spec.tensor();
  }

  private static TInt32 narrowIds(int[][] rows) {
    int length = longest(rows);
    int[] flat = new int[rows.length * length];
    Arrays.fill(flat, -1);
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * length, rows[i].length);
    }
    return TInt32.tensorOf(Shape.of(rows.length, length), DataBuffers.of(flat, true, false));
  }

  private static TInt64 wideIds(int[][] rows) {
    int length = longest(rows);
    long[] flat = new long[rows.length * length];
    Arrays.fill(flat, -1);
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows[i].length; j++) {
        flat[i * length + j] = rows[i][j];
      }
    }
    return TInt64.tensorOf(Shape.of(rows.length, length), DataBuffers.of(flat, true, false));
  }

  private static int longest(int[][] rows) {
    return Arrays.stream(rows).mapToInt(row -> row.length).max().orElse(0);
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
  }
}
