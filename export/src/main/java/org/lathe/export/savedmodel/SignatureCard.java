package org.lathe.export.savedmodel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.retrieval.RetrievalFacts;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;

/** What a client must know about a served model, for people and for programs. */
final class SignatureCard {
  private final ExportRequest request;
  private final InferenceGraph graph;
  private final String tensorflowVersion;

  SignatureCard(ExportRequest request, InferenceGraph graph, String tensorflowVersion) {
    this.request = request;
    this.graph = graph;
    this.tensorflowVersion = tensorflowVersion;
  }

  /** JSON types only. */
  Map<String, Object> facts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("model", model());
    facts.put("memory", memory());
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval != null) {
      facts.put("retrieval", RetrievalFacts.of(retrieval));
    }
    facts.put("numVariables", graph.variableShapes().size());
    facts.put("numParameters", request.weights().numValues());
    facts.put("tensorflowVersion", tensorflowVersion);
    facts.put("metadata", request.metadata());
    Map<String, Object> signatures = new LinkedHashMap<>();
    for (InferenceGraph.Endpoint endpoint : graph.endpoints()) {
      Map<String, Object> outputs = new LinkedHashMap<>();
      for (InferenceGraph.Fetched output : endpoint.outputs()) {
        outputs.put(output.name(), tensor(output.operand(), output.shape()));
      }
      signatures.put(
          endpoint.name(),
          Map.of(
              "method",
              SignatureNames.METHOD,
              "inputs",
              Map.of(SignatureNames.INPUT, tensor(endpoint.input(), endpoint.inputShape())),
              "outputs",
              outputs));
    }
    facts.put("signatures", signatures);
    return facts;
  }

  private static Map<String, Object> tensor(Operand<?> operand, Shape shape) {
    return Map.of("type", type(operand), "shape", shape.asArray());
  }

  private static String type(Operand<?> operand) {
    return operand.asOutput().dataType().name();
  }

  private Map<String, Object> model() {
    TransformerConfig config = request.config();
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("vocabularySize", config.vocabularySize());
    model.put("hiddenSize", config.hiddenSize());
    model.put("headSize", config.headSize());
    model.put("maxPositions", config.maxPositions());
    model.put(
        "blocks",
        config.blocks().stream()
            .map(
                block ->
                    Map.of(
                        "numHeads", block.numHeads(),
                        "intermediateSize", block.intermediateSize()))
            .toList());
    model.put("normPlacement", config.normPlacement().name());
    model.put("positions", config.positions().name());
    model.put("activation", config.activation().name());
    model.put("tiedOutput", config.tiedOutput());
    model.put("finalNorm", config.finalNorm());
    model.put("embeddingScale", config.embeddingScale());
    model.put("normEpsilon", config.normEpsilon());
    AdaptiveVocabulary adaptive = config.adaptive();
    if (adaptive != null) {
      model.put("cutoffs", adaptive.cutoffs());
      model.put("factor", adaptive.factor());
    }
    return model;
  }

  private Map<String, Object> memory() {
    Map<String, Object> memory = new LinkedHashMap<>();
    memory.put("objective", request.memory().objective().name());
    memory.put("scoreScale", request.memory().scoreScale());
    if (request.config().keySize() != null) {
      memory.put("keySize", request.config().keySize());
    }
    memory.put("temperature", request.temperature());
    return memory;
  }

  /** For people. */
  String markdown() {
    int vocabularySize = request.config().vocabularySize();
    StringBuilder card = new StringBuilder();
    card.append("# Language model\n\n")
        .append("| signature | input `input_ids` | output `log_probabilities` |\n|---|---|---|\n");
    for (InferenceGraph.Endpoint endpoint : graph.endpoints()) {
      card.append("| `")
          .append(endpoint.name())
          .append("` | ")
          .append(describe(type(endpoint.input()), endpoint.inputShape()))
          .append(" | ")
          .append(
              describe(
                  type(endpoint.outputs().get(0).operand()), endpoint.outputs().get(0).shape()))
          .append(" |\n");
    }
    card.append("\n`")
        .append(SignatureNames.NEXT_TOKEN)
        .append("` gives the natural logarithm of the probability of each of the ")
        .append(vocabularySize)
        .append(" possible next tokens of every row; `")
        .append(SignatureNames.SCORE)
        .append("` that of each token after the first, given those before it.\n")
        .append("Rows hold 1 to ")
        .append(request.config().maxPositions())
        .append(" ids; shorter rows are padded at their end with -1 (no other place), and an")
        .append(" empty row is refused. Ids beyond the vocabulary count as its last word.\n");
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval == null && request.memory().objective() != MemoryObjective.NONE) {
      card.append("The earlier tokens of a row are its memory (temperature ")
          .append(request.temperature())
          .append("): send as much context as fits.\n");
    }
    card.append("\n    curl -d '{\"inputs\": {\"input_ids\": ")
        .append(List.of(List.of(0, Math.min(1, vocabularySize - 1))))
        .append("}}' http://HOST:8501/v1/models/NAME:predict\n\n")
        .append("    curl -d '{\"signature_name\": \"score\", \"inputs\": {\"input_ids\": ")
        .append(List.of(List.of(0, Math.min(1, vocabularySize - 1))))
        .append("}}' http://HOST:8501/v1/models/NAME:predict\n");
    if (retrieval != null) {
      card.append(RetrievalFacts.markdown(retrieval, request.memory(), request.temperature()));
    }
    if (!request.metadata().isEmpty()) {
      card.append("\n| fact | value |\n|---|---|\n");
      request
          .metadata()
          .forEach(
              (name, value) ->
                  card.append("| ").append(name).append(" | ").append(value).append(" |\n"));
    }
    return card.toString();
  }

  private static String describe(String type, Shape shape) {
    StringBuilder text = new StringBuilder(type.replace("DT_", "").toLowerCase(Locale.ROOT));
    text.append(" [");
    for (int i = 0; i < shape.numDimensions(); i++) {
      text.append(i == 0 ? "" : ", ").append(shape.get(i));
    }
    return text.append(']').toString();
  }
}
