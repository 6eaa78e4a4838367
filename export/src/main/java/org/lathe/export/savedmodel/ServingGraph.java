package org.lathe.export.savedmodel;

import java.nio.file.Path;
import java.util.List;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;

/**
 * The graph that an export of this shape would hold, in a session's graph of the caller's, with
 * initializers instead of a saver: what a latency must be measured on.
 *
 * @param inputs of the default signature
 * @param outputs that a call of it computes
 * @param variables to initialize before the first call
 */
public record ServingGraph(List<Input> inputs, List<Operand<?>> outputs, List<Variable> variables) {
  private static final Path NOWHERE = Path.of("unpublished");

  /**
   * An int32 input (B, T).
   *
   * @param fullValue that makes every row a full one
   */
  public record Input(Operand<?> operand, int fullValue) {}

  /** Of a language model: next-token log-probabilities (B, V) from token ids. */
  public static ServingGraph build(Ops tf, TransformerConfig config, MemoryConfig memory) {
    InferenceGraph graph =
        new LanguageModelGraph(
            tf, ExportRequest.of(config, memory, new Weights(), NOWHERE, 1), null, null);
    Endpoint next = defaultOf(graph);
    return new ServingGraph(
        List.of(new Input(next.inputs().get(0).operand(), 0)),
        List.of(next.outputs().get(0).operand()),
        graph.variables());
  }

  /** Of an encoder with the head of a task: what it answers, from ids, mask and types. */
  public static ServingGraph build(Ops tf, EncoderConfig config, HeadConfig head) {
    InferenceGraph graph = new EncoderGraph(tf, config, head, 0, null);
    Endpoint serving = defaultOf(graph);
    return new ServingGraph(
        serving.inputs().stream()
            .map(
                input ->
                    new Input(
                        input.operand(),
                        input.name().equals(EncoderSignatures.ATTENTION_MASK) ? 1 : 0))
            .toList(),
        serving.outputs().stream().<Operand<?>>map(NamedTensor::operand).toList(),
        graph.variables());
  }

  private static Endpoint defaultOf(InferenceGraph graph) {
    return graph.endpoints().stream()
        .filter(endpoint -> endpoint.name().equals(SignatureNames.NEXT_TOKEN))
        .findFirst()
        .orElseThrow();
  }
}
