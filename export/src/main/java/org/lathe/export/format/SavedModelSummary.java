package org.lathe.export.format;

import java.util.List;
import java.util.Map;
import org.tensorflow.proto.GraphDef;

/**
 * What a saved_model.pb says about itself.
 *
 * @param tags of the meta graph
 * @param tensorflowVersion that wrote it
 * @param signatures by name
 * @param numNodesByOp how often each op occurs, sorted by op
 * @param variables in order of their names
 * @param graph the nodes
 */
public record SavedModelSummary(
    List<String> tags,
    String tensorflowVersion,
    Map<String, Signature> signatures,
    Map<String, Integer> numNodesByOp,
    List<SavedVariable> variables,
    GraphDef graph) {

  /**
   * @param method name; {@link SignatureNames#METHOD} for what TensorFlow Serving can predict
   */
  public record Signature(
      String method, Map<String, TensorSpec> inputs, Map<String, TensorSpec> outputs) {}

  /**
   * @param tensor name in the graph, "op:index"
   * @param type such as DT_INT32
   * @param shape -1 = any size
   */
  public record TensorSpec(String tensor, String type, List<Long> shape) {}

  /** A resource variable: the key of its values in the tensor bundle. */
  public record SavedVariable(String name, String type, List<Long> shape) {}

  /** Values in all variables. */
  public long numParameters() {
    return variables.stream()
        .mapToLong(v -> v.shape().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b))
        .sum();
  }
}
