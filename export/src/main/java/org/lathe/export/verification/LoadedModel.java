package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.Collection;
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
 * A SavedModel of any kind, opened by TensorFlow's own loader as a server would. May be used by
 * several threads.
 */
final class LoadedModel implements AutoCloseable {
  private final Path directory;
  private final SavedModelBundle bundle;
  private final SavedModelSummary summary;
  private final String kind;

  private LoadedModel(
      Path directory, SavedModelBundle bundle, SavedModelSummary summary, String kind) {
    this.directory = directory;
    this.bundle = bundle;
    this.summary = summary;
    this.kind = kind;
  }

  /**
   * Loads what was inspected, when all its ops are on the {@link OpAllowList}.
   *
   * @param kind of model in words, for messages
   * @throws CorruptFileException when it is damaged or lacks the tag "serve"
   * @throws FailedException when its graph holds an op that is not allowed
   */
  static LoadedModel load(
      Storage storage,
      Path versionDirectory,
      SavedModelSummary summary,
      String kind,
      ConfigProto session) {
    String source = versionDirectory.resolve(SavedModelInspector.FILE).toString();
    if (!summary.tags().contains(SignatureNames.TAG)) {
      throw new CorruptFileException(
          source + " has the tags " + summary.tags() + "; expected 'serve'. Export it again.");
    }
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
      return new LoadedModel(versionDirectory, bundle, summary, kind);
    } catch (TensorFlowException | IllegalArgumentException | IllegalStateException e) {
      throw new CorruptFileException(
          versionDirectory
              + " does not load: "
              + firstLine(e)
              + ". Copy the directory again or export the model again.",
          e);
    }
  }

  SavedModelSummary summary() {
    return summary;
  }

  /** The signature of this name, which the caller knows to be there. */
  SavedModelSummary.Signature signature(String name) {
    SavedModelSummary.Signature signature = summary.signatures().get(name);
    Preconditions.checkArgument(signature != null, "no signature is called '%s'", name);
    return Objects.requireNonNull(signature);
  }

  /**
   * One call.
   *
   * @param inputs by the signature's names, all of them
   * @param outputs by the signature's names
   * @param numRows for messages
   * @throws FailedException when the model refuses them, for instance as too long
   */
  Result run(
      String signature, Map<String, Tensor> inputs, Collection<String> outputs, int numRows) {
    SavedModelSummary.Signature called = signature(signature);
    String source = directory.toString();
    Session.Runner runner = bundle.session().runner();
    inputs.forEach(
        (name, value) -> runner.feed(tensor(called.inputs(), name, kind, source).tensor(), value));
    outputs.forEach(name -> runner.fetch(tensor(called.outputs(), name, kind, source).tensor()));
    try {
      return runner.run();
    } catch (TensorFlowException | IllegalArgumentException e) {
      throw new FailedException(
          "The model in " + directory + " refused " + numRows + " rows: " + firstLine(e), e);
    }
  }

  @Override
  public void close() {
    bundle.close();
  }

  /**
   * The required signature.
   *
   * @throws CorruptFileException when it is missing or no server would answer by it
   */
  static SavedModelSummary.Signature requireSignature(
      SavedModelSummary summary, String name, String kind, String source) {
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
              + ". Use "
              + kind
              + " that Lathe exported.");
    }
    return signature;
  }

  /**
   * One of a signature's inputs or outputs.
   *
   * @throws CorruptFileException when it is missing
   */
  static SavedModelSummary.TensorSpec tensor(
      Map<String, SavedModelSummary.TensorSpec> specs, String name, String kind, String source) {
    SavedModelSummary.TensorSpec spec = specs.get(name);
    if (spec == null) {
      throw new CorruptFileException(
          source
              + ": a signature lacks '"
              + name
              + "', it has "
              + specs.keySet()
              + ". Use "
              + kind
              + " that Lathe exported.");
    }
    return spec;
  }

  /**
   * The same of a type.
   *
   * @param type such as DT_FLOAT
   * @throws CorruptFileException when it is missing or of another type
   */
  static SavedModelSummary.TensorSpec tensor(
      Map<String, SavedModelSummary.TensorSpec> specs,
      String name,
      String type,
      String kind,
      String source) {
    SavedModelSummary.TensorSpec spec = tensor(specs, name, kind, source);
    if (!spec.type().equals(type)) {
      throw new CorruptFileException(
          source
              + ": '"
              + name
              + "' has the type "
              + spec.type()
              + "; expected "
              + type
              + ". Use "
              + kind
              + " that Lathe exported.");
    }
    return spec;
  }

  /**
   * Rows of equal or lesser length as one tensor (B, T).
   *
   * @param padding at the end of shorter rows
   * @param wide int64, not int32
   */
  static Tensor integers(int[][] rows, int padding, boolean wide) {
    int length = 0;
    for (int[] row : rows) {
      length = Math.max(length, row.length);
    }
    Shape shape = Shape.of(rows.length, length);
    int[] flat = new int[rows.length * length];
    for (int i = 0; i < rows.length; i++) {
      for (int t = 0; t < length; t++) {
        flat[i * length + t] = t < rows[i].length ? rows[i][t] : padding;
      }
    }
    if (!wide) {
      return TInt32.tensorOf(shape, DataBuffers.of(flat, true, false));
    }
    long[] longs = new long[flat.length];
    for (int i = 0; i < longs.length; i++) {
      longs[i] = flat[i];
    }
    return TInt64.tensorOf(shape, DataBuffers.of(longs, true, false));
  }

  static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.shape().size())];
    ((TFloat32) tensor).asRawTensor().data().asFloats().read(values);
    return values;
  }

  /** Float outputs in the order of their names. */
  static List<float[]> floats(Result result) {
    ImmutableList.Builder<float[]> values = ImmutableList.builder();
    for (int i = 0; i < result.size(); i++) {
      values.add(floats(result.get(i)));
    }
    return values.build();
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
  }
}
