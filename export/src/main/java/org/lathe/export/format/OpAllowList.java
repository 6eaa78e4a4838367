package org.lathe.export.format;

import com.google.common.collect.ImmutableSet;
import org.lathe.graphs.errors.FailedException;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.proto.NodeDef;

/**
 * The ops that an exported graph may hold: arithmetic on tensors, reading variables, and restoring
 * them. Gradients, optimizers, random numbers, files, network and foreign code are absent from the
 * list, and so is whatever nobody thought of.
 */
public final class OpAllowList {
  private static final ImmutableSet<String> INPUT_AND_STATE =
      ImmutableSet.of(
          "Assert",
          "AssignVariableOp",
          "Const",
          "Identity",
          "NoOp",
          "Placeholder",
          "PlaceholderWithDefault",
          "ReadVariableOp",
          "RestoreV2",
          "SaveV2",
          "VarHandleOp");

  private static final ImmutableSet<String> SHAPES =
      ImmutableSet.of(
          "Cast",
          "ConcatV2",
          "ExpandDims",
          "Fill",
          "GatherNd",
          "GatherV2",
          "Pack",
          "Pad",
          "PadV2",
          "Range",
          "Reshape",
          "ScatterNd",
          "Shape",
          "Slice",
          "Squeeze",
          "StopGradient",
          "StridedSlice",
          "TensorScatterUpdate",
          "Transpose",
          "Where");

  private static final ImmutableSet<String> ARITHMETIC =
      ImmutableSet.of(
          "Add",
          "AddN",
          "AddV2",
          "All",
          "BatchMatMul",
          "BatchMatMulV2",
          "BatchMatMulV3",
          "BiasAdd",
          "Div",
          "Equal",
          "Erf",
          "Erfc",
          "Exp",
          "FloorDiv",
          "Greater",
          "GreaterEqual",
          "Less",
          "LessEqual",
          "Log",
          "LogicalAnd",
          "LogicalNot",
          "LogicalOr",
          "MatMul",
          "Max",
          "Maximum",
          "Mean",
          "Minimum",
          "Mul",
          "Neg",
          "Pow",
          "RealDiv",
          "Relu",
          "Rsqrt",
          "Select",
          "SelectV2",
          "Softmax",
          "Softplus",
          "Sqrt",
          "Square",
          "SquaredDifference",
          "Sub",
          "Sum",
          "Tanh",
          "UnsortedSegmentSum");

  /**
   * Search in an external memory: the best of many scores, and the document that an item lies in.
   * They read their inputs only.
   */
  private static final ImmutableSet<String> RETRIEVAL =
      ImmutableSet.of("BroadcastTo", "Size", "TopKV2", "UpperBound");

  private OpAllowList() {}

  public static boolean allows(String op) {
    return INPUT_AND_STATE.contains(op)
        || SHAPES.contains(op)
        || ARITHMETIC.contains(op)
        || RETRIEVAL.contains(op);
  }

  /**
   * @param graph inference graph
   * @param source of the graph, for the message
   * @throws FailedException naming the first node whose op is not allowed, or that lies in a
   *     function, which exported graphs do not have
   */
  public static void check(GraphDef graph, String source) {
    for (NodeDef node : graph.getNodeList()) {
      if (!allows(node.getOp())) {
        throw new FailedException(
            source
                + " holds the op '"
                + node.getOp()
                + "' (node '"
                + node.getName()
                + "'), which is not on the list of ops that a served model may run. Load it only"
                + " if you trust where it comes from, or export it again with Lathe.");
      }
    }
    if (graph.getLibrary().getFunctionCount() > 0) {
      throw new FailedException(
          source
              + " holds the function '"
              + graph.getLibrary().getFunction(0).getSignature().getName()
              + "'; expected a graph without functions. Export it again with Lathe.");
    }
  }
}
