package org.lathe.export.savedmodel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.TransformerConfig;

/** What the cards of all kinds of models have in common. */
final class CardParts {
  private CardParts() {}

  /** Shape of the blocks and what stands around them; JSON types only. */
  static Map<String, Object> transformer(TransformerConfig config) {
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

  /** Names, types and shapes of what is fed and fetched; JSON types only. */
  static Map<String, Object> signatures(List<Endpoint> endpoints) {
    Map<String, Object> signatures = new LinkedHashMap<>();
    for (Endpoint endpoint : endpoints) {
      signatures.put(
          endpoint.name(),
          Map.of(
              "method",
              SignatureNames.METHOD,
              "inputs",
              tensors(endpoint.inputs()),
              "outputs",
              tensors(endpoint.outputs())));
    }
    return signatures;
  }

  private static Map<String, Object> tensors(List<NamedTensor> tensors) {
    Map<String, Object> facts = new LinkedHashMap<>();
    tensors.forEach(
        tensor ->
            facts.put(
                tensor.name(), Map.of("type", tensor.type(), "shape", tensor.shape().asArray())));
    return facts;
  }

  /** Type and shape, such as "int32 [-1, -1]". */
  static String describe(NamedTensor tensor) {
    StringBuilder text =
        new StringBuilder(tensor.type().replace("DT_", "").toLowerCase(Locale.ROOT));
    text.append(" [");
    for (int i = 0; i < tensor.shape().numDimensions(); i++) {
      text.append(i == 0 ? "" : ", ").append(tensor.shape().get(i));
    }
    return text.append(']').toString();
  }

  /** How the weights are stored, and what that changes; JSON types only. */
  static Map<String, Object> precision(WeightPrecision precision, double roundingDifference) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("weights", precision.label());
    if (precision != WeightPrecision.FLOAT32) {
      facts.put("roundingDifference", roundingDifference);
    }
    return facts;
  }

  /** The same for people; empty for weights as they were trained. */
  static String rounding(WeightPrecision precision, double roundingDifference) {
    return precision == WeightPrecision.FLOAT32
        ? ""
        : String.format(
            Locale.ROOT,
            "%nMatrices are stored as %s and unpacked in every call; on the recorded rows no output"
                + " differs by more than %.2g from the model as it was trained.%n",
            precision.label(),
            roundingDifference);
  }

  /** A Markdown table; empty without metadata. */
  static String metadata(Map<String, String> metadata) {
    if (metadata.isEmpty()) {
      return "";
    }
    StringBuilder table = new StringBuilder("\n| fact | value |\n|---|---|\n");
    metadata.forEach(
        (name, value) ->
            table.append("| ").append(name).append(" | ").append(value).append(" |\n"));
    return table.toString();
  }
}
