package org.lathe.export.savedmodel;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.lathe.export.format.EncoderFacts;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;

/** What a client must know about a served encoder, for people and for programs. */
final class EncoderCard {
  private static final String URL = "http://HOST:8501/v1/models/NAME:predict";

  private final EncoderExportRequest request;
  private final InferenceGraph graph;
  private final String tensorflowVersion;
  private final double roundingDifference;

  EncoderCard(
      EncoderExportRequest request,
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
    EncoderConfig config = request.encoder();
    HeadConfig head = request.head();
    Map<String, Object> encoder = new LinkedHashMap<>(request.facts().toJson());
    encoder.put("numTokenTypes", config.numTokenTypes());
    encoder.put("positionOffset", config.positionOffset());
    encoder.put("poolerSize", config.poolerSize());
    encoder.put(
        "head",
        Map.of(
            "kind",
            head.kind().name(),
            "numClasses",
            head.numClasses(),
            "denseSize",
            head.denseSize()));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(EncoderFacts.KEY, encoder);
    facts.put("model", CardParts.transformer(config.transformer()));
    facts.put("numVariables", graph.variableShapes().size());
    facts.put("numParameters", request.weights().numValues());
    facts.putAll(CardParts.precision(request.precision(), roundingDifference));
    facts.put("tensorflowVersion", tensorflowVersion);
    facts.put("metadata", request.metadata());
    facts.put("signatures", CardParts.signatures(graph.endpoints()));
    return facts;
  }

  /** For people. */
  String markdown() {
    StringBuilder card = new StringBuilder();
    card.append("# Encoder\n\n| signature | inputs | outputs |\n|---|---|---|\n");
    for (Endpoint endpoint : graph.endpoints()) {
      card.append("| `")
          .append(endpoint.name())
          .append("` | ")
          .append(describe(endpoint.inputs()))
          .append(" | ")
          .append(describe(endpoint.outputs()))
          .append(" |\n");
    }
    EncoderFacts facts = request.facts();
    card.append("\nRows hold 1 to ")
        .append(facts.maxLength())
        .append(" ids, padded at their end to one length; longer rows are refused")
        .append(taskLength(facts))
        .append(". `")
        .append(EncoderSignatures.ATTENTION_MASK)
        .append("` is 1 for a token and 0 for padding, `")
        .append(EncoderSignatures.TOKEN_TYPES)
        .append("` 0 for the first text and 1 for the second")
        .append(request.encoder().numTokenTypes() > 1 ? "" : " (not looked at by this encoder)")
        .append(". A row of padding alone is refused. Ids beyond the vocabulary of ")
        .append(facts.vocabularySize())
        .append(" count as the nearest in it.\n`")
        .append(EncoderSignatures.IDS_ONLY)
        .append("` takes every id but ")
        .append(facts.paddingId())
        .append(" for a token, and all tokens for one text.\n")
        .append(answers());
    examples(card);
    card.append(CardParts.rounding(request.precision(), roundingDifference));
    return card.append(CardParts.metadata(request.metadata())).toString();
  }

  private static String taskLength(EncoderFacts facts) {
    return facts.taskLength() < facts.maxLength()
        ? ", and those of more than " + facts.taskLength() + " are longer than any in training"
        : "";
  }

  private static String describe(List<NamedTensor> tensors) {
    return tensors.stream()
        .map(tensor -> "`" + tensor.name() + "` " + CardParts.describe(tensor))
        .collect(Collectors.joining(", "));
  }

  private String answers() {
    if (!request.head().kind().classifies()) {
      return "The answer is the span with the largest sum of start and end logit whose end does not"
          + " lie before its start; logits of padding are near -10000.\n";
    }
    if (request.head().numClasses() == 1) {
      return "`" + EncoderSignatures.SCORE + "` is the predicted number of each row.\n";
    }
    StringBuilder text = new StringBuilder();
    text.append("`")
        .append(EncoderSignatures.PROBABILITIES)
        .append("` is the softmax of the logits.\n");
    for (int c = 0; c < request.labels().size(); c++) {
      text.append(c == 0 ? "Classes in order: " : ", ")
          .append('`')
          .append(request.labels().get(c))
          .append('`')
          .append(c + 1 == request.labels().size() ? ".\n" : "");
    }
    return text.toString();
  }

  /** A row of two tokens and one of a token and padding. */
  private void examples(StringBuilder card) {
    int padding = request.paddingId();
    int token = padding == 0 ? 1 : 0;
    int length = Math.min(2, request.facts().maxLength());
    int[] second = {token, padding};
    String ids = rows(new int[] {token, token}, second, length);
    String mask = rows(new int[] {1, 1}, new int[] {1, 0}, length);
    String types = rows(new int[2], new int[2], length);
    example(
        card,
        "\"inputs\": {\"%s\": %s, \"%s\": %s, \"%s\": %s}"
            .formatted(
                SignatureNames.INPUT,
                ids,
                EncoderSignatures.ATTENTION_MASK,
                mask,
                EncoderSignatures.TOKEN_TYPES,
                types));
    example(
        card,
        "\"signature_name\": \"%s\", \"inputs\": {\"%s\": %s}"
            .formatted(EncoderSignatures.IDS_ONLY, SignatureNames.INPUT, ids));
  }

  private static String rows(int[] first, int[] second, int length) {
    return Arrays.deepToString(
        new int[][] {Arrays.copyOf(first, length), Arrays.copyOf(second, length)});
  }

  private static void example(StringBuilder card, String body) {
    card.append("\n    curl -d '{").append(body).append("}' ").append(URL).append('\n');
  }
}
