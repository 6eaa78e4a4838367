package org.lathe.cli.workflow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.lathe.training.evaluation.Attribution;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.memory.MemoryMixing;

/**
 * Where predictions come from: the positions with the largest memory share, each with the documents
 * that hold most of it. Shares are parts of the whole distribution, over all tokens.
 */
final class Explanations {
  private static final int NUM_CONTEXT_TOKENS = 16;
  private static final int NUM_DOCUMENTS = 5;

  private final List<Map<String, Object>> facts = new ArrayList<>();
  private final List<String> lines = new ArrayList<>();
  private final SameNames sameNames = new SameNames();
  private final MemoryStudy study;
  private final MemoryStudy.Finding finding;

  /**
   * @param finding with memory
   */
  private Explanations(MemoryStudy study, MemoryStudy.Finding finding) {
    this.study = study;
    this.finding = finding;
  }

  static Explanations of(
      MemoryStudy study, MemoryStudy.Finding finding, MemoryMixing mixing, int numPositions) {
    Explanations explanations = new Explanations(study, finding);
    double[] shares = finding.measured().memoryShares();
    IntStream.range(0, shares.length)
        .boxed()
        .sorted(Comparator.comparingDouble(position -> -shares[position]))
        .limit(numPositions)
        .forEach(position -> explanations.add(position, mixing));
    explanations.sameNames.warn(study.console());
    return explanations;
  }

  List<Map<String, Object>> facts() {
    return facts;
  }

  List<String> lines() {
    return lines;
  }

  private void add(int position, MemoryMixing mixing) {
    ScoredText text = study.text();
    MemoryStudy.Retrieval retrieval = finding.retrieval();
    Attribution attribution =
        Attribution.of(
            position,
            text,
            finding.recent(),
            retrieval == null ? null : retrieval.neighbors(),
            retrieval == null ? null : retrieval.memory().items(),
            study.file()::documentAt,
            mixing);
    String context =
        decode(
            Arrays.copyOfRange(
                text.targets(), Math.max(0, position - NUM_CONTEXT_TOKENS), position));
    String target = decode(text.targets()[position]);
    String document = study.file().documentId(study.file().documentAt(position));
    double probability = Math.exp(finding.measured().logProbabilities()[position]);
    double without = Math.exp(text.vocabularyLogProbability(position));
    String proposal =
        attribution.byValue().entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(entry -> decode(entry.getKey()))
            .orElse("");
    lines.add("");
    lines.add(
        String.format(
            Locale.ROOT,
            "position %d of %s: ...%s -> %s   P %.4f, without memory %.4f, memory share %.3f,"
                + " memory proposes %s",
            position,
            document,
            ShownItems.quoted(context),
            ShownItems.quoted(target),
            probability,
            without,
            attribution.memoryShare(),
            ShownItems.quoted(proposal)));
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("position", position);
    one.put("document", document);
    one.put("context", context);
    one.put("target", target);
    one.put("probability", probability);
    one.put("probabilityWithoutMemory", without);
    one.put("memoryShare", attribution.memoryShare());
    one.put("proposal", proposal);
    one.put("documents", documents(attribution));
    facts.add(one);
  }

  private List<Map<String, Object>> documents(Attribution attribution) {
    List<Map<String, Object>> documents = new ArrayList<>();
    for (Attribution.Document document :
        attribution.byDocument().stream().limit(NUM_DOCUMENTS).toList()) {
      String memory = document.external() ? "external" : "recent";
      String name = name(document);
      String token = decode(document.value());
      sameNames.add(memory, name, document.document());
      lines.add(
          ShownItems.line(
              document.share(),
              memory,
              name + ", most from position " + document.position(),
              "-> " + ShownItems.quoted(token)));
      documents.add(ShownItems.facts(document.share(), memory, name, document.position(), token));
    }
    return documents;
  }

  private String name(Attribution.Document document) {
    MemoryStudy.Retrieval retrieval = finding.retrieval();
    return document.external() && retrieval != null
        ? retrieval.memory().documentName().apply(document.document())
        : study.file().documentId(document.document());
  }

  private String decode(int... tokens) {
    return study.data().tokenizer().decode(tokens);
  }
}
