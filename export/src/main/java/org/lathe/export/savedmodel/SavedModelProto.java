package org.lathe.export.savedmodel;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.lathe.export.format.OpAllowList;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.errors.FailedException;
import org.tensorflow.TensorFlow;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.proto.MetaGraphDef;
import org.tensorflow.proto.NodeDef;
import org.tensorflow.proto.OpDef;
import org.tensorflow.proto.OpList;
import org.tensorflow.proto.SavedModel;
import org.tensorflow.proto.SaverDef;
import org.tensorflow.proto.SignatureDef;
import org.tensorflow.proto.TensorInfo;
import org.tensorflow.proto.TensorShapeProto;

/** Turns an {@link InferenceGraph} into the bytes of saved_model.pb. */
final class SavedModelProto {
  /** The one that TensorFlow 1 and 2 write. */
  private static final int SCHEMA_VERSION = 1;

  private SavedModelProto() {}

  /**
   * The bytes, after a check of ops and size. The same graph gives the same bytes.
   *
   * @throws FailedException when an op is not allowed or the graph too large
   */
  static byte[] checkedBytes(GraphDef wholeGraph, InferenceGraph inference) {
    SavedModel model = of(wholeGraph, inference);
    OpAllowList.check(model.getMetaGraphs(0).getGraphDef(), "the inference graph");
    byte[] bytes = deterministicBytes(model);
    if (bytes.length > SavedModelInspector.MAX_GRAPH_BYTES) {
      throw new FailedException(
          "The graph has "
              + bytes.length
              + " bytes; the limit is "
              + SavedModelInspector.MAX_GRAPH_BYTES
              + ". Weights belong into variables.");
    }
    return bytes;
  }

  /** One meta graph, tagged "serve", with every op that a signature or the saver reaches. */
  private static SavedModel of(GraphDef wholeGraph, InferenceGraph inference) {
    SaverOps saver = inference.saver();
    Set<String> roots = new HashSet<>();
    roots.add(saver.restoreOp());
    roots.add(nodeOf(saver.saveTensor()));
    inference
        .endpoints()
        .forEach(
            endpoint -> {
              endpoint.inputs().forEach(input -> roots.add(input.operand().op().name()));
              endpoint.outputs().forEach(output -> roots.add(output.operand().op().name()));
            });
    GraphDef graph = reachable(wholeGraph, roots);

    MetaGraphDef.Builder meta =
        MetaGraphDef.newBuilder()
            .setMetaInfoDef(
                MetaGraphDef.MetaInfoDef.newBuilder()
                    .addTags(SignatureNames.TAG)
                    .setTensorflowVersion(TensorFlow.version())
                    .setStrippedOpList(usedOps(graph)))
            .setGraphDef(graph)
            .setSaverDef(
                SaverDef.newBuilder()
                    .setFilenameTensorName(saver.filenameTensor())
                    .setSaveTensorName(saver.saveTensor())
                    .setRestoreOpName(saver.restoreOp())
                    .setVersion(SaverDef.CheckpointFormatVersion.V2));
    inference
        .endpoints()
        .forEach(endpoint -> meta.putSignatureDef(endpoint.name(), signature(endpoint)));
    return SavedModel.newBuilder()
        .setSavedModelSchemaVersion(SCHEMA_VERSION)
        .addMetaGraphs(meta)
        .build();
  }

  /** The same message gives the same bytes: map entries are sorted by key. */
  private static byte[] deterministicBytes(SavedModel model) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(model.getSerializedSize());
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      out.useDeterministicSerialization();
      model.writeTo(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return bytes.toByteArray();
  }

  /** The nodes that the roots depend on, by data or by control, in their old order. */
  private static GraphDef reachable(GraphDef graph, Set<String> roots) {
    Map<String, NodeDef> nodes = new HashMap<>();
    graph.getNodeList().forEach(node -> nodes.put(node.getName(), node));
    Set<String> kept = new HashSet<>(roots);
    Deque<String> open = new ArrayDeque<>(roots);
    while (!open.isEmpty()) {
      NodeDef node = nodes.get(open.remove());
      if (node == null) {
        throw new IllegalStateException("the graph lacks a node that it refers to");
      }
      for (String input : node.getInputList()) {
        String name = nodeOf(input);
        if (kept.add(name)) {
          open.add(name);
        }
      }
    }
    GraphDef.Builder result = GraphDef.newBuilder().setVersions(graph.getVersions());
    graph.getNodeList().stream()
        .filter(node -> kept.contains(node.getName()))
        .forEach(result::addNode);
    return result.build();
  }

  /** "^name", "name" or "name:1" -> "name". */
  private static String nodeOf(String input) {
    String name = input.startsWith("^") ? input.substring(1) : input;
    int colon = name.indexOf(':');
    return colon < 0 ? name : name.substring(0, colon);
  }

  /** Definitions of the used ops, so that other TensorFlow versions can fill in defaults. */
  private static OpList usedOps(GraphDef graph) {
    Set<String> used = new TreeSet<>();
    graph.getNodeList().forEach(node -> used.add(node.getOp()));
    Map<String, OpDef> definitions = new HashMap<>();
    TensorFlow.registeredOpList().getOpList().forEach(op -> definitions.put(op.getName(), op));
    OpList.Builder list = OpList.newBuilder();
    for (String name : used) {
      OpDef definition = definitions.get(name);
      if (definition != null) {
        list.addOp(definition.toBuilder().clearSummary().clearDescription());
      }
    }
    return list.build();
  }

  private static SignatureDef signature(Endpoint endpoint) {
    SignatureDef.Builder signature = SignatureDef.newBuilder().setMethodName(SignatureNames.METHOD);
    endpoint.inputs().forEach(input -> signature.putInputs(input.name(), tensorInfo(input)));
    endpoint.outputs().forEach(output -> signature.putOutputs(output.name(), tensorInfo(output)));
    return signature.build();
  }

  private static TensorInfo tensorInfo(NamedTensor tensor) {
    TensorShapeProto.Builder dimensions = TensorShapeProto.newBuilder();
    for (long size : tensor.shape().asArray()) {
      dimensions.addDim(TensorShapeProto.Dim.newBuilder().setSize(size));
    }
    return TensorInfo.newBuilder()
        .setName(tensor.graphName())
        .setDtype(tensor.operand().asOutput().dataType())
        .setTensorShape(dimensions)
        .build();
  }
}
