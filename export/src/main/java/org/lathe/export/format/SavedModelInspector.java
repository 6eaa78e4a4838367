package org.lathe.export.format;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSortedMap;
import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.proto.MetaGraphDef;
import org.tensorflow.proto.NodeDef;
import org.tensorflow.proto.SavedModel;
import org.tensorflow.proto.SignatureDef;
import org.tensorflow.proto.TensorInfo;
import org.tensorflow.proto.TensorShapeProto;

/**
 * Reads a saved_model.pb as a protobuf message and nothing more: a SavedModel is a program, and
 * looking at it must not run it.
 */
public final class SavedModelInspector {
  public static final String FILE = "saved_model.pb";

  /** Graphs without weights in them stay far below. */
  public static final long MAX_GRAPH_BYTES = 64L << 20;

  /** Nesting of messages in a real graph is about ten. */
  private static final int MAX_NESTING = 64;

  private SavedModelInspector() {}

  /**
   * @throws CorruptFileException when saved_model.pb is missing, too large, truncated or no
   *     SavedModel with one meta graph
   */
  public static SavedModelSummary inspect(Storage storage, Path versionDirectory) {
    Path file = versionDirectory.resolve(FILE);
    if (!storage.exists(file)) {
      throw new CorruptFileException(
          file
              + " is missing; expected a SavedModel directory. Give the directory of one version.");
    }
    try {
      long sizeBytes = storage.size(file);
      if (sizeBytes > MAX_GRAPH_BYTES) {
        throw new CorruptFileException(
            file
                + " has "
                + sizeBytes
                + " bytes; the limit for a graph is "
                + MAX_GRAPH_BYTES
                + ". Weights belong into variables, not into constants.");
      }
      try (InputStream in = storage.open(file)) {
        return summarize(in.readNBytes((int) sizeBytes), file.toString());
      }
    } catch (IOException e) {
      throw new FailedException("Cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /**
   * @param source of the bytes, for messages
   * @throws CorruptFileException as above
   */
  public static SavedModelSummary summarize(byte[] bytes, String source) {
    SavedModel model;
    try {
      CodedInputStream in = CodedInputStream.newInstance(bytes);
      in.setRecursionLimit(MAX_NESTING);
      model = SavedModel.parseFrom(in);
    } catch (IOException e) {
      throw new CorruptFileException(
          source
              + " is no SavedModel message ("
              + e.getMessage()
              + "). Export the model again or copy it again.",
          e);
    }
    if (model.getMetaGraphsCount() != 1) {
      throw new CorruptFileException(
          source
              + ": expected one meta graph, found "
              + model.getMetaGraphsCount()
              + ". Export the model again.");
    }
    MetaGraphDef meta = model.getMetaGraphs(0);
    ImmutableSortedMap.Builder<String, SavedModelSummary.Signature> signatures =
        ImmutableSortedMap.naturalOrder();
    meta.getSignatureDefMap().forEach((name, def) -> signatures.put(name, signature(def)));
    Map<String, Integer> numNodesByOp = new TreeMap<>();
    meta.getGraphDef()
        .getNodeList()
        .forEach(node -> numNodesByOp.merge(node.getOp(), 1, Integer::sum));
    return new SavedModelSummary(
        meta.getMetaInfoDef().getTagsList(),
        meta.getMetaInfoDef().getTensorflowVersion(),
        signatures.buildOrThrow(),
        ImmutableSortedMap.copyOf(numNodesByOp),
        variables(meta.getGraphDef(), source),
        meta.getGraphDef());
  }

  private static List<SavedModelSummary.SavedVariable> variables(GraphDef graph, String source) {
    List<SavedModelSummary.SavedVariable> variables = new ArrayList<>();
    for (NodeDef node : graph.getNodeList()) {
      if (!node.getOp().equals("VarHandleOp")) {
        continue;
      }
      if (!node.containsAttr("shared_name") || !node.containsAttr("shape")) {
        throw new CorruptFileException(
            source + ": variable node '" + node.getName() + "' lacks its name or its shape.");
      }
      variables.add(
          new SavedModelSummary.SavedVariable(
              node.getAttrOrThrow("shared_name").getS().toString(StandardCharsets.UTF_8),
              node.containsAttr("dtype") ? node.getAttrOrThrow("dtype").getType().name() : "?",
              sizes(node.getAttrOrThrow("shape").getShape())));
    }
    variables.sort(Comparator.comparing(SavedModelSummary.SavedVariable::name));
    return ImmutableList.copyOf(variables);
  }

  private static SavedModelSummary.Signature signature(SignatureDef def) {
    return new SavedModelSummary.Signature(
        def.getMethodName(), tensors(def.getInputsMap()), tensors(def.getOutputsMap()));
  }

  private static Map<String, SavedModelSummary.TensorSpec> tensors(Map<String, TensorInfo> infos) {
    ImmutableMap.Builder<String, SavedModelSummary.TensorSpec> specs = ImmutableMap.builder();
    new TreeMap<>(infos)
        .forEach(
            (name, info) ->
                specs.put(
                    name,
                    new SavedModelSummary.TensorSpec(
                        info.getName(), info.getDtype().name(), sizes(info.getTensorShape()))));
    return specs.buildOrThrow();
  }

  private static List<Long> sizes(TensorShapeProto shape) {
    return shape.getDimList().stream()
        .map(TensorShapeProto.Dim::getSize)
        .collect(ImmutableList.toImmutableList());
  }
}
