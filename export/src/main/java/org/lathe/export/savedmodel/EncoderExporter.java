package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.export.format.VersionFiles;
import org.lathe.export.verification.EncoderCase;
import org.lathe.export.verification.EncoderGraphReference;
import org.lathe.export.verification.EncoderReference;
import org.lathe.export.verification.EncoderReferenceFile;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.tensorflow.Graph;
import org.tensorflow.TensorFlow;
import org.tensorflow.op.Ops;

/**
 * Publishes an encoder with the head of a task as models/NAME/VERSION for TensorFlow Serving;
 * {@link org.lathe.export.format.EncoderSignatures} says what it answers:
 *
 * <pre>
 *   saved_model.pb  variables/                       what a server loads
 *   assets.extra/tf_serving_warmup_requests          what it replays first
 *   assets.extra/reference.json                      what `verify` compares with
 *   assets.extra/card.md  signature.json             what a client must know
 *   assets.extra/labels.json                         names of the classes, where they have any
 *   MANIFEST.json                                    names, sizes and checksums
 * </pre>
 *
 * <p>The directory is built hidden beside its place, opened with TensorFlow's loader, compared with
 * the training-side model, and renamed once. The same input gives the same bytes.
 */
public final class EncoderExporter {
  private EncoderExporter() {}

  /**
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are not the model's
   * @throws ConfigException when an asset has a reserved name
   * @throws FailedException when the version exists, the disk fails, or the exported model does not
   *     answer as the trained one; nothing is published then
   */
  public static ExportedModel export(Storage storage, EncoderExportRequest request) {
    Publication.requireFreeNames(request.assets(), VersionFiles.LABELS);
    try (PackedWeights packed = new PackedWeights(request.weights(), request.precision());
        Graph graph = new Graph()) {
      EncoderExportRequest served = request.withWeights(packed.rounded());
      List<EncoderCase> cases = referenceCases(served);
      double roundingDifference =
          request.precision() == WeightPrecision.FLOAT32
              ? 0
              : EncoderCase.maxDifference(cases, referenceCases(request));
      InferenceGraph inference =
          new EncoderGraph(
              Ops.create(graph), request.encoder(), request.head(), request.paddingId(), packed);
      request.weights().requireExactly(inference.variableShapes(), "the weights to export");
      EncoderCard card =
          new EncoderCard(request, inference, TensorFlow.version(), roundingDifference);
      return Publication.publish(
          storage,
          request.baseDirectory(),
          request.version(),
          new Publication.Contents(
              packed,
              roundingDifference,
              ImmutableMap.of(),
              SavedModelProto.checkedBytes(graph.toGraphDef(), inference),
              EncoderWarmup.requests(request.facts(), request.encoder().numTokenTypes()),
              card.facts(),
              card.markdown(),
              request.assets(),
              (target, directory) -> writeOwnFiles(target, directory, request, cases)));
    }
  }

  /**
   * What the reference of a request answers to sequences of several lengths and token types: what
   * an export records, and what other formats may be compared by.
   */
  public static List<EncoderCase> referenceCases(EncoderExportRequest request) {
    EncoderReference given = request.reference();
    if (given != null) {
      return cases(request, given);
    }
    try (EncoderReference reference =
        new EncoderGraphReference(request.encoder(), request.head(), request.weights())) {
      return cases(request, reference);
    }
  }

  private static List<EncoderCase> cases(EncoderExportRequest request, EncoderReference reference) {
    List<EncoderCase> cases = new ArrayList<>();
    for (EncoderWarmup.Sequence sequence :
        EncoderWarmup.referenceSequences(request.facts(), request.encoder().numTokenTypes())) {
      cases.add(
          new EncoderCase(
              sequence.ids(),
              sequence.types(),
              reference.outputs(sequence.ids(), sequence.types())));
    }
    return cases;
  }

  private static void writeOwnFiles(
      Storage storage, Path directory, EncoderExportRequest request, List<EncoderCase> cases) {
    EncoderReferenceFile.write(storage, directory, cases);
    if (!request.labels().isEmpty()) {
      JsonFile.write(
          storage,
          directory.resolve(VersionFiles.EXTRA).resolve(VersionFiles.LABELS),
          ImmutableMap.of("labels", request.labels()));
    }
  }
}
