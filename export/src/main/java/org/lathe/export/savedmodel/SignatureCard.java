package org.lathe.export.savedmodel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.retrieval.RetrievalFacts;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;

/** What a client must know about a served model, for people and for programs. */
final class SignatureCard {
  private final ExportRequest request;
  private final InferenceGraph graph;
  private final String tensorflowVersion;
  private final double roundingDifference;

  SignatureCard(
      ExportRequest request,
      InferenceGraph graph,
      String tensorflowVersion,
      double roundingDifference) {
    this.request = request;
    this.graph = graph;
    this.tensorflowVersion = tensorflowVersion;
    this.roundingDifference = roundingDifference;
  }

  /** JSON types only. */
  Map<String, Object> facts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("model", CardParts.transformer(request.config()));
    facts.put("memory", memory());
    RetrievalPlan retrieval = request.retrieval();
    if (retrieval != null) {
      facts.put("retrieval", RetrievalFacts.of(retrieval));
    }
    facts.put("numVariables", graph.variableShapes().size());
    facts.put("numParameters", request.weights().numValues());
    facts.putAll(CardParts.precision(request.precision(), roundingDifference));
    facts.put("tensorflowVersion", tensorflowVersion);
    facts.put("metadata", request.metadata());
    facts.put("signatures", CardParts.signatures(graph.endpoints()));
    return facts;
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
    for (Endpoint endpoint : graph.endpoints()) {
      card.append("| `")
          .append(endpoint.name())
          .append("` | ")
          .append(CardParts.describe(endpoint.inputs().get(0)))
          .append(" | ")
          .append(CardParts.describe(endpoint.outputs().get(0)))
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
    card.append(CardParts.rounding(request.precision(), roundingDifference));
    return card.append(CardParts.metadata(request.metadata())).toString();
  }
}
