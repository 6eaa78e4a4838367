package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.VersionFiles;
import org.lathe.export.retrieval.DocumentsFile;
import org.lathe.export.retrieval.MemoryTensors;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.export.retrieval.RetrievalReference;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.ReferenceCase;
import org.lathe.export.verification.ReferenceFile;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;
import org.tensorflow.Graph;
import org.tensorflow.TensorFlow;
import org.tensorflow.op.Ops;

/**
 * Publishes a language model as models/NAME/VERSION for TensorFlow Serving:
 *
 * <pre>
 *   saved_model.pb  variables/                       what a server loads
 *   assets.extra/tf_serving_warmup_requests          what it replays first
 *   assets.extra/reference.json                      what `verify` compares with
 *   assets.extra/card.md  signature.json             what a client must know
 *   assets.extra/documents.jsonl                     of an external memory: names of documents
 *   MANIFEST.json                                    names, sizes and checksums
 * </pre>
 *
 * <p>The directory is built hidden beside its place, opened with TensorFlow's loader, compared with
 * the training-side model, and renamed once. The same input gives the same bytes.
 */
public final class LanguageModelExporter {
  /** Below a version directory: what servers pass over, given assets among it. */
  public static final String EXTRA = VersionFiles.EXTRA;

  /** In {@link #EXTRA}: the model's shape and signatures as JSON. */
  public static final String SIGNATURE = VersionFiles.SIGNATURE;

  /** Recorded prompts of a model with an external memory. */
  private static final int NUM_RETRIEVAL_CASES = 4;

  private LanguageModelExporter() {}

  /**
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are not the decoder's
   * @throws ConfigException when an asset has a reserved name
   * @throws FailedException when the version exists, the disk fails, or the exported model does not
   *     answer as the trained one; nothing is published then
   */
  public static ExportedModel export(Storage storage, ExportRequest request) {
    Publication.requireFreeNames(request.assets(), DocumentsFile.NAME);
    RetrievalPlan retrieval = request.retrieval();
    try (PackedWeights packed = new PackedWeights(request.weights(), request.precision())) {
      if (retrieval == null) {
        return export(storage, request, packed, null);
      }
      try (MemoryTensors memory = new MemoryTensors(retrieval.memory())) {
        return export(storage, request, packed, memory);
      }
    }
  }

  private static ExportedModel export(
      Storage storage,
      ExportRequest request,
      PackedWeights packed,
      @Nullable MemoryTensors memory) {
    ExportRequest served = request.withWeights(packed.rounded());
    List<ReferenceCase> cases = referenceCases(served, null);
    double roundingDifference =
        request.precision() == WeightPrecision.FLOAT32
            ? 0
            : ReferenceCase.maxDifference(
                cases,
                referenceCases(
                    request, cases.stream().map(ReferenceCase::prompt).toArray(int[][]::new)));
    try (Graph graph = new Graph()) {
      InferenceGraph inference = new LanguageModelGraph(Ops.create(graph), request, memory, packed);
      request.weights().requireExactly(inference.variableShapes(), "the weights to export");
      SignatureCard card =
          new SignatureCard(request, inference, TensorFlow.version(), roundingDifference);
      return Publication.publish(
          storage,
          request.baseDirectory(),
          request.version(),
          new Publication.Contents(
              packed,
              roundingDifference,
              memory == null ? ImmutableMap.of() : memory.byName(),
              SavedModelProto.checkedBytes(graph.toGraphDef(), inference),
              WarmupPlan.requests(request.config()),
              card.facts(),
              card.markdown(),
              request.assets(),
              (target, directory) -> writeOwnFiles(target, directory, request, cases)));
    }
  }

  private static void writeOwnFiles(
      Storage storage, Path directory, ExportRequest request, List<ReferenceCase> cases) {
    ReferenceFile.write(storage, directory, cases);
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval != null) {
      DocumentsFile.write(
          storage,
          directory.resolve(EXTRA).resolve(DocumentsFile.NAME),
          retrieval.memory().documents());
    }
  }

  /**
   * @param given prompts; null = common ones, with an external memory those whose nearest items
   *     leave no doubt
   */
  private static List<ReferenceCase> referenceCases(
      ExportRequest request, int @Nullable [][] given) {
    int[][] prompts = given == null ? WarmupPlan.referencePrompts(request.config()) : given;
    ReferenceScorer scorer = request.reference();
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval != null) {
      try (RetrievalReference reference =
          new RetrievalReference(
              request.config(), request.memory(), request.weights(), retrieval)) {
        return cases(
            given == null ? clearPrompts(request, reference, prompts) : prompts,
            scorer == null ? reference : scorer);
      }
    }
    if (scorer != null) {
      return cases(prompts, scorer);
    }
    try (GraphReference reference =
        new GraphReference(
            request.config(), request.memory(), request.weights(), request.temperature())) {
      return cases(prompts, reference);
    }
  }

  private static int[][] clearPrompts(
      ExportRequest request, RetrievalReference reference, int[][] common) {
    int[][] clear =
        Arrays.stream(WarmupPlan.manyReferencePrompts(request.config()))
            .filter(reference::isClear)
            .limit(NUM_RETRIEVAL_CASES)
            .toArray(int[][]::new);
    // a store of nothing but repetitions: then the common prompts must do
    return clear.length > 0 ? clear : common;
  }

  private static List<ReferenceCase> cases(int[][] prompts, ReferenceScorer reference) {
    float[][] outputs = reference.nextLogProbabilities(prompts);
    List<ReferenceCase> cases = new ArrayList<>();
    for (int i = 0; i < prompts.length; i++) {
      cases.add(ReferenceCase.of(prompts[i], outputs[i]));
    }
    return cases;
  }
}
