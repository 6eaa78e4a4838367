package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.EncoderFacts;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;
import org.tensorflow.Result;
import org.tensorflow.Tensor;
import org.tensorflow.proto.ConfigProto;

/**
 * An exported encoder with the head of a task, opened by TensorFlow's own loader as a server would.
 * The graph is looked at first and loaded only when all its ops are on the {@link
 * org.lathe.export.format.OpAllowList}. May be used by several threads.
 *
 * <p>Shape letters: B rows, T length, C classes.
 */
public final class LoadedEncoder implements AutoCloseable {
  private static final String KIND = "an encoder";

  private final LoadedModel model;
  private final EncoderFacts facts;
  private final ImmutableList<String> outputs;

  private LoadedEncoder(LoadedModel model, EncoderFacts facts, ImmutableList<String> outputs) {
    this.model = model;
    this.facts = facts;
    this.outputs = outputs;
  }

  /** Whether a SavedModel of ours is an encoder, not a language model. */
  public static boolean isEncoder(SavedModelSummary summary) {
    return summary.signatures().containsKey(EncoderSignatures.IDS_ONLY);
  }

  /** With TensorFlow's default settings; see the other open. */
  public static LoadedEncoder open(Storage storage, Path versionDirectory) {
    return open(storage, versionDirectory, ConfigProto.getDefaultInstance());
  }

  /**
   * @param versionDirectory models/NAME/VERSION
   * @param session settings such as the number of threads
   * @throws CorruptFileException when it is no encoder that Lathe exported, or damaged
   * @throws FailedException when its graph holds an op that is not allowed
   */
  public static LoadedEncoder open(Storage storage, Path versionDirectory, ConfigProto session) {
    SavedModelSummary summary = SavedModelInspector.inspect(storage, versionDirectory);
    ImmutableList<String> outputs =
        requireEncoder(summary, versionDirectory.resolve(SavedModelInspector.FILE).toString());
    EncoderFacts facts = EncoderFacts.read(storage, versionDirectory);
    LoadedModel model = LoadedModel.load(storage, versionDirectory, summary, KIND, session);
    return new LoadedEncoder(model, facts, outputs);
  }

  public EncoderFacts facts() {
    return facts;
  }

  public SavedModelSummary summary() {
    return model.summary();
  }

  /** Names of what a call gives, sorted. */
  public List<String> outputs() {
    return outputs;
  }

  /**
   * Values a row of an output: C of a classifier, 1 of regression, T of spans.
   *
   * @param length T
   */
  public int width(String output, int length) {
    List<Long> shape = spec(output).shape();
    if (shape.size() == 1) {
      return 1;
    }
    return shape.get(1) < 0 ? length : Math.toIntExact(shape.get(1));
  }

  private SavedModelSummary.TensorSpec spec(String output) {
    Map<String, SavedModelSummary.TensorSpec> specs =
        model.signature(EncoderSignatures.SERVING).outputs();
    return LoadedModel.tensor(specs, output, KIND, "the encoder");
  }

  /**
   * Sequences by the default signature.
   *
   * @param ids rows of tokens, each at least one long; shorter rows are padded and masked
   * @param types of those tokens
   * @return outputs by name, row-major: (B, C), (B), or (B, T) where T is the longest row
   * @throws FailedException when the model refuses them, for instance as too long
   */
  public Map<String, float[]> run(int[][] ids, int[][] types) {
    return run(EncoderSignatures.SERVING, padded(ids, types));
  }

  /**
   * What {@link #run(int[][], int[][])} feeds: ids with the padding id, mask and types with 0 after
   * the end of shorter rows.
   */
  public Map<String, int[][]> padded(int[][] ids, int[][] types) {
    Preconditions.checkArgument(
        ids.length == types.length, "%s rows of ids, %s of types", ids.length, types.length);
    int[][] mask = new int[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      Preconditions.checkArgument(
          ids[i].length == types[i].length,
          "row %s has %s ids and %s types",
          i,
          ids[i].length,
          types[i].length);
      mask[i] = new int[ids[i].length];
      Arrays.fill(mask[i], 1);
    }
    return ImmutableMap.of(
        SignatureNames.INPUT, filled(ids, facts.paddingId()),
        EncoderSignatures.ATTENTION_MASK, filled(mask, 0),
        EncoderSignatures.TOKEN_TYPES, filled(types, 0));
  }

  private static int[][] filled(int[][] rows, int padding) {
    int length = Arrays.stream(rows).mapToInt(row -> row.length).max().orElse(0);
    int[][] filled = new int[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      filled[i] = Arrays.copyOf(rows[i], length);
      Arrays.fill(filled[i], rows[i].length, length, padding);
    }
    return filled;
  }

  /**
   * One call of a signature, just as a client would make it.
   *
   * @param signature of {@link EncoderSignatures}
   * @param inputs all that it has, rows of equal length each
   * @return as above
   * @throws FailedException as above
   */
  public Map<String, float[]> run(String signature, Map<String, int[][]> inputs) {
    boolean wide = signature.equals(EncoderSignatures.SERVING_INT64);
    Map<String, Tensor> fed = new LinkedHashMap<>();
    int numRows = 0;
    try {
      for (Map.Entry<String, int[][]> input : inputs.entrySet()) {
        fed.put(input.getKey(), LoadedModel.integers(input.getValue(), 0, wide));
        numRows = input.getValue().length;
      }
      try (Result result = model.run(signature, fed, outputs, numRows)) {
        List<float[]> values = LoadedModel.floats(result);
        ImmutableMap.Builder<String, float[]> byName = ImmutableMap.builder();
        for (int i = 0; i < outputs.size(); i++) {
          byName.put(outputs.get(i), values.get(i));
        }
        return byName.buildOrThrow();
      }
    } finally {
      fed.values().forEach(Tensor::close);
    }
  }

  @Override
  public void close() {
    model.close();
  }

  /** Returns the outputs' names after checking names, methods and types of all signatures. */
  private static ImmutableList<String> requireEncoder(SavedModelSummary summary, String source) {
    List<ImmutableList<String>> outputs = new ArrayList<>();
    for (String name :
        List.of(
            EncoderSignatures.SERVING,
            EncoderSignatures.SERVING_INT64,
            EncoderSignatures.IDS_ONLY)) {
      SavedModelSummary.Signature signature =
          LoadedModel.requireSignature(summary, name, KIND, source);
      String type = name.equals(EncoderSignatures.SERVING_INT64) ? "DT_INT64" : "DT_INT32";
      List<String> inputs =
          name.equals(EncoderSignatures.IDS_ONLY)
              ? List.of(SignatureNames.INPUT)
              : List.of(
                  SignatureNames.INPUT,
                  EncoderSignatures.ATTENTION_MASK,
                  EncoderSignatures.TOKEN_TYPES);
      inputs.forEach(input -> LoadedModel.tensor(signature.inputs(), input, type, KIND, source));
      signature
          .outputs()
          .keySet()
          .forEach(
              output ->
                  requireShape(
                      LoadedModel.tensor(signature.outputs(), output, "DT_FLOAT", KIND, source),
                      output,
                      source));
      outputs.add(ImmutableList.copyOf(signature.outputs().keySet()));
    }
    if (outputs.get(0).isEmpty() || outputs.stream().distinct().count() != 1) {
      throw new CorruptFileException(
          source
              + ": the signatures give "
              + outputs
              + "; expected the same outputs of each. Export the encoder again.");
    }
    return outputs.get(0);
  }

  private static void requireShape(
      SavedModelSummary.TensorSpec spec, String output, String source) {
    int rank = spec.shape().size();
    if (rank < 1 || rank > 2 || (rank == 2 && spec.shape().get(1) > Integer.MAX_VALUE)) {
      throw new CorruptFileException(
          source
              + ": the output '"
              + output
              + "' has the shape "
              + spec.shape()
              + "; expected one or two dimensions. Export the encoder again.");
    }
  }
}
