package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.OpAllowList;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.retrieval.DocumentsFile;
import org.lathe.export.retrieval.MemoryTensors;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.export.retrieval.RetrievalReference;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.export.verification.ReferenceCase;
import org.lathe.export.verification.ReferenceFile;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.TensorBundle;
import org.tensorflow.Graph;
import org.tensorflow.Tensor;
import org.tensorflow.TensorFlow;
import org.tensorflow.exceptions.TensorFlowException;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.SavedModel;

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
  public static final String EXTRA = "assets.extra";

  /** In {@link #EXTRA}: the model's shape and signatures as JSON. */
  public static final String SIGNATURE = "signature.json";

  private static final String CARD = "card.md";

  private static final Set<String> RESERVED_ASSETS =
      Set.of(CARD, SIGNATURE, DocumentsFile.NAME, "reference.json", "tf_serving_warmup_requests");

  /** Recorded prompts of a model with an external memory. */
  private static final int NUM_RETRIEVAL_CASES = 4;

  /** Room for everything but weights and graph. */
  private static final long SMALL_FILES_BYTES = 1L << 20;

  private static final int COPY_BUFFER_BYTES = 1 << 16;

  private LanguageModelExporter() {}

  /**
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are not the decoder's
   * @throws ConfigException when an asset has a reserved name
   * @throws FailedException when the version exists, the disk fails, or the exported model does not
   *     answer as the trained one; nothing is published then
   */
  public static ExportedModel export(Storage storage, ExportRequest request) {
    for (String name : request.assets().keySet()) {
      if (RESERVED_ASSETS.contains(name)) {
        throw new ConfigException(
            "The asset name '" + name + "' is used by the exporter itself. Choose another one.");
      }
    }
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval == null) {
      return export(storage, request, null, referenceCases(request));
    }
    List<ReferenceCase> cases = referenceCases(request, retrieval);
    try (MemoryTensors memory = new MemoryTensors(retrieval.memory())) {
      return export(storage, request, memory, cases);
    }
  }

  private static ExportedModel export(
      Storage storage,
      ExportRequest request,
      @Nullable MemoryTensors memory,
      List<ReferenceCase> cases) {
    try (Graph graph = new Graph()) {
      InferenceGraph inference = new InferenceGraph(Ops.create(graph), request, memory);
      request.weights().requireExactly(inference.variableShapes(), "the weights to export");
      SavedModel model = SavedModelProto.of(graph.toGraphDef(), inference);
      OpAllowList.check(model.getMetaGraphs(0).getGraphDef(), "the inference graph");
      byte[] modelBytes = SavedModelProto.deterministicBytes(model);
      if (modelBytes.length > SavedModelInspector.MAX_GRAPH_BYTES) {
        throw new FailedException(
            "The graph has "
                + modelBytes.length
                + " bytes; the limit is "
                + SavedModelInspector.MAX_GRAPH_BYTES
                + ". Weights belong into variables.");
      }
      SignatureCard card = new SignatureCard(request, inference, TensorFlow.version());
      return publish(storage, request, memory, modelBytes, card, cases);
    }
  }

  private static List<ReferenceCase> referenceCases(ExportRequest request) {
    int[][] prompts = WarmupPlan.referencePrompts(request.config());
    ReferenceScorer given = request.reference();
    if (given != null) {
      return cases(prompts, given);
    }
    try (GraphReference reference =
        new GraphReference(
            request.config(), request.memory(), request.weights(), request.temperature())) {
      return cases(prompts, reference);
    }
  }

  private static List<ReferenceCase> referenceCases(
      ExportRequest request, RetrievalPlan retrieval) {
    try (RetrievalReference reference =
        new RetrievalReference(request.config(), request.memory(), request.weights(), retrieval)) {
      int[][] clear =
          Arrays.stream(WarmupPlan.manyReferencePrompts(request.config()))
              .filter(reference::isClear)
              .limit(NUM_RETRIEVAL_CASES)
              .toArray(int[][]::new);
      // a store of nothing but repetitions: then the common prompts must do
      int[][] prompts = clear.length > 0 ? clear : WarmupPlan.referencePrompts(request.config());
      ReferenceScorer given = request.reference();
      return cases(prompts, given == null ? reference : given);
    }
  }

  private static List<ReferenceCase> cases(int[][] prompts, ReferenceScorer reference) {
    float[][] outputs = reference.nextLogProbabilities(prompts);
    List<ReferenceCase> cases = new ArrayList<>();
    for (int i = 0; i < prompts.length; i++) {
      cases.add(ReferenceCase.of(prompts[i], outputs[i]));
    }
    return cases;
  }

  private static ExportedModel publish(
      Storage storage,
      ExportRequest request,
      @Nullable MemoryTensors memory,
      byte[] modelBytes,
      SignatureCard card,
      List<ReferenceCase> cases) {
    Path target = request.baseDirectory().resolve(Long.toString(request.version()));
    Map<String, Tensor> memoryTensors = memory == null ? ImmutableMap.of() : memory.byName();
    long memoryBytes = memoryTensors.values().stream().mapToLong(Tensor::numBytes).sum();
    long estimatedBytes =
        memoryBytes
            + request.weights().numValues() * Float.BYTES
            + modelBytes.length
            + assetBytes(storage, request)
            + SMALL_FILES_BYTES;
    double maxDifference;
    long sizeBytes;
    try (StagedDirectory staged = StagedDirectory.begin(storage, target, estimatedBytes)) {
      Path directory = staged.path();
      createDirectory(storage, directory.resolve("variables"));
      createDirectory(storage, directory.resolve(EXTRA));
      writeVariables(directory, request, memoryTensors);
      write(storage, directory.resolve(SavedModelInspector.FILE), modelBytes);
      WarmupFile.write(
          storage, directory.resolve(WarmupFile.PATH), WarmupPlan.requests(request.config()));
      ReferenceFile.write(storage, directory, cases);
      JsonFile.write(storage, directory.resolve(EXTRA).resolve(SIGNATURE), card.facts());
      write(
          storage,
          directory.resolve(EXTRA).resolve(CARD),
          card.markdown().getBytes(StandardCharsets.UTF_8));
      RetrievalPlan retrieval = request.retrieval();
      if (retrieval != null) {
        DocumentsFile.write(
            storage,
            directory.resolve(EXTRA).resolve(DocumentsFile.NAME),
            retrieval.memory().documents());
      }
      for (Map.Entry<String, Path> asset : request.assets().entrySet()) {
        copy(storage, asset.getValue(), directory.resolve(EXTRA).resolve(asset.getKey()));
      }
      maxDifference =
          ModelVerifier.verifyContents(storage, directory).maxLogProbabilityDifference();
      // before the commit: what follows it could fail although the model is published
      sizeBytes = treeBytes(storage, directory);
      staged.commit(ModelVerifier.MANIFEST_KIND, card.facts());
    }
    return new ExportedModel(
        target,
        request.version(),
        request.weights().names().size(),
        request.weights().numValues(),
        memoryBytes,
        sizeBytes,
        maxDifference);
  }

  private static void writeVariables(
      Path directory, ExportRequest request, Map<String, Tensor> memory) {
    try {
      TensorBundle.write(
          directory.resolve("variables").resolve("variables"), request.weights(), memory);
    } catch (TensorFlowException e) {
      throw new FailedException(
          "Cannot write the variables into " + directory + ": " + e.getMessage(), e);
    }
  }

  private static long treeBytes(Storage storage, Path directory) {
    long sum = 0;
    for (Path path : IoGuard.call(storage, "list", directory, () -> storage.list(directory))) {
      sum +=
          storage.isDirectory(path)
              ? treeBytes(storage, path)
              : IoGuard.call(storage, "read", path, () -> storage.size(path));
    }
    return sum;
  }

  private static long assetBytes(Storage storage, ExportRequest request) {
    long sum = 0;
    for (Path file : request.assets().values()) {
      sum += IoGuard.call(storage, "read", file, () -> storage.size(file));
    }
    return sum;
  }

  private static void createDirectory(Storage storage, Path directory) {
    IoGuard.run(storage, "create", directory, () -> storage.createDirectories(directory));
  }

  private static void write(Storage storage, Path file, byte[] bytes) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            out.write(bytes);
          }
        });
  }

  private static void copy(Storage storage, Path source, Path target) {
    IoGuard.run(storage, "copy", source, () -> copyBytes(storage, source, target));
  }

  private static void copyBytes(Storage storage, Path source, Path target) throws IOException {
    try (InputStream in = storage.open(source);
        OutputStream out = storage.create(target)) {
      byte[] buffer = new byte[COPY_BUFFER_BYTES];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        out.write(buffer, 0, read);
      }
    }
  }
}
