package org.lathe.export.savedmodel;

import java.nio.file.Path;
import java.util.List;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The graph that an export of this shape would hold, in a session's graph of the caller's, with
 * initializers instead of a saver: what a latency must be measured on.
 *
 * @param input token ids (B, T), int32
 * @param output next-token log-probabilities (B, V)
 * @param variables to initialize before the first call
 */
public record ServingGraph(Operand<?> input, Operand<TFloat32> output, List<Variable> variables) {

  public static ServingGraph build(Ops tf, TransformerConfig config, MemoryConfig memory) {
    InferenceGraph graph =
        new InferenceGraph(
            tf, ExportRequest.of(config, memory, new Weights(), Path.of("unpublished"), 1), null);
    InferenceGraph.Endpoint next =
        graph.endpoints().stream()
            .filter(endpoint -> endpoint.name().equals(SignatureNames.NEXT_TOKEN))
            .findFirst()
            .orElseThrow();
    return new ServingGraph(
        next.input(),
        next.outputs().get(0).operand().asOutput().expect(TFloat32.class),
        graph.variables());
  }
}
