package org.lathe.export.verification;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Manifest;
import org.lathe.training.files.Storage;

/**
 * Checks an exported model as its server will meet it: files, graph, loading, warm-up, and the same
 * answers as the model that was trained.
 */
public final class ModelVerifier {
  /** The manifest's kind of SavedModel directories. */
  public static final String MANIFEST_KIND = "saved-model";

  /** Largest allowed difference of an output to the recorded one (promise N2). */
  public static final double MAX_DIFFERENCE = 1e-4;

  /** Largest allowed difference of the probabilities' sum to 1. */
  public static final double MAX_SUM_ERROR = 1e-4;

  private ModelVerifier() {}

  /**
   * Everything: manifest with checksums, then {@link #verifyContents}.
   *
   * @param versionDirectory models/NAME/VERSION
   * @throws CorruptFileException when a file is missing or damaged
   * @throws FailedException when an op is not allowed or an answer differs
   */
  public static VerificationReport verify(Storage storage, Path versionDirectory) {
    Manifest manifest = Manifest.verified(storage, versionDirectory, MANIFEST_KIND);
    VerificationReport contents = verifyContents(storage, versionDirectory);
    long sizeBytes = manifest.files().stream().mapToLong(Manifest.Entry::sizeBytes).sum();
    return new VerificationReport(
        versionDirectory,
        ImmutableList.<VerificationReport.Check>builder()
            .add(
                new VerificationReport.Check(
                    "manifest",
                    manifest.files().size() + " files, " + sizeBytes + " bytes, checksums match"))
            .addAll(contents.checks())
            .build(),
        contents.maxDifference());
  }

  /** Everything but the manifest, for a directory that is not committed yet. */
  public static VerificationReport verifyContents(Storage storage, Path directory) {
    Path warmupFile = directory.resolve(WarmupFile.PATH);
    List<WarmupRequest> requests = WarmupFile.read(storage, warmupFile);
    if (requests.isEmpty()) {
      throw new CorruptFileException(
          warmupFile + " holds no record; expected at least one. Export the model again.");
    }
    List<VerificationReport.Check> checks = new ArrayList<>();
    try (ModelChecks model = open(storage, directory)) {
      SavedModelSummary summary = model.summary();
      checks.add(
          new VerificationReport.Check(
              "graph",
              "signatures "
                  + String.join(", ", summary.signatures().keySet())
                  + "; "
                  + summary.numNodesByOp().size()
                  + " kinds of ops, all allowed"));
      checks.add(
          new VerificationReport.Check(
              "variables",
              summary.variables().size() + " with " + summary.numParameters() + " values, loaded"));
      for (int i = 0; i < requests.size(); i++) {
        String source = warmupFile + ", record " + i;
        requireKnown(requests.get(i), summary, source);
        model.replay(requests.get(i), source);
      }
      checks.add(
          new VerificationReport.Check(
              "warm-up", requests.size() + " records replayed, " + model.replayed()));
      ModelChecks.Parity parity = model.compare();
      checks.add(new VerificationReport.Check("parity", parity.finding()));
      checks.addAll(model.more());
      return new VerificationReport(
          directory, ImmutableList.copyOf(checks), parity.maxDifference());
    }
  }

  private static ModelChecks open(Storage storage, Path directory) {
    return LoadedEncoder.isEncoder(SavedModelInspector.inspect(storage, directory))
        ? EncoderChecks.open(storage, directory)
        : LanguageModelChecks.open(storage, directory);
  }

  /** The loaders' callers may take signature and inputs of a request for granted. */
  private static void requireKnown(
      WarmupRequest request, SavedModelSummary summary, String source) {
    SavedModelSummary.Signature signature = summary.signatures().get(request.signature());
    if (signature == null) {
      throw new CorruptFileException(
          source + " calls the signature '" + request.signature() + "', which the graph lacks.");
    }
    if (!signature.inputs().keySet().equals(request.inputs().keySet())) {
      throw new CorruptFileException(
          source
              + " feeds "
              + request.inputs().keySet()
              + " to the signature '"
              + request.signature()
              + "'; expected "
              + signature.inputs().keySet()
              + ". Export the model again.");
    }
  }
}
