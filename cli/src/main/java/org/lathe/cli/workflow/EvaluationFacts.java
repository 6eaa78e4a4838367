package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.training.evaluation.FrequencyBuckets;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SearchPolicy;

/** What a finding says besides its perplexity, for a person and for a machine. */
final class EvaluationFacts {
  /** Where recall is reported, besides at all neighbours. */
  private static final ImmutableList<Integer> RECALL_AT = ImmutableList.of(1, 8, 64);

  private EvaluationFacts() {}

  /**
   * Keys: {@code memoryShare}, {@code tokensPerSecond}, {@code buckets}; with retrieval {@code
   * externalShare}, {@code recall}, {@code searchedShare}, {@code numItems} and {@code
   * bytesPerItem}; where pointers are followed {@code pointerShare}.
   */
  static Map<String, Object> of(
      MemoryStudy.Finding finding, ScoredText text, FrequencyBuckets frequencies) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("memoryShare", finding.measured().meanMemoryShare());
    facts.put("tokensPerSecond", tokensPerSecond(finding, text));
    List<Map<String, Object>> buckets = new ArrayList<>();
    for (FrequencyBuckets.Bucket bucket : buckets(finding, text, frequencies)) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("trainCount", bucket.name());
      one.put("tokens", bucket.numPositions());
      if (bucket.numPositions() > 0) {
        one.put("perplexity", bucket.perplexity());
      }
      buckets.add(one);
    }
    facts.put("buckets", buckets);
    MemoryStudy.Retrieval retrieval = finding.retrieval();
    if (retrieval != null) {
      facts.put("externalShare", finding.measured().meanExternalShare());
      facts.put("recall", recall(retrieval));
      facts.put("searchedShare", retrieval.neighbors().searchedShare());
      if (retrieval.policy().pointers()) {
        facts.put("pointerShare", retrieval.neighbors().pointerShare());
      }
      facts.put("numItems", retrieval.memory().numItems());
      facts.put("bytesPerItem", retrieval.memory().bytesPerItem());
    }
    return facts;
  }

  private static List<FrequencyBuckets.Bucket> buckets(
      MemoryStudy.Finding finding, ScoredText text, FrequencyBuckets frequencies) {
    return frequencies.of(text.targets(), finding.measured().logProbabilities());
  }

  private static double tokensPerSecond(MemoryStudy.Finding finding, ScoredText text) {
    return text.numPositions() / finding.seconds();
  }

  private static Map<String, Double> recall(MemoryStudy.Retrieval retrieval) {
    Map<String, Double> recall = new LinkedHashMap<>();
    int all = retrieval.neighbors().numNeighbors();
    for (int k : RECALL_AT) {
      if (k < all) {
        recall.put(String.valueOf(k), retrieval.neighbors().recall(k));
      }
    }
    recall.put(String.valueOf(all), retrieval.neighbors().recall(all));
    return recall;
  }

  private static String searched(MemoryStudy.Retrieval retrieval) {
    String searched =
        String.format(
            Locale.ROOT,
            "         searched %.1f%% of the positions",
            100 * retrieval.neighbors().searchedShare());
    return retrieval.policy().pointers()
        ? searched
            + String.format(
                Locale.ROOT,
                ", pointers brought neighbours to %.1f%%",
                100 * retrieval.neighbors().pointerShare())
        : searched;
  }

  /** The line of the perplexity and those of the details. */
  static List<String> lines(
      String name, MemoryStudy.Finding finding, ScoredText text, FrequencyBuckets frequencies) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%-8s perplexity %9.3f   memory share %.3f   %,.0f tokens/s%s",
            name,
            finding.perplexity(),
            finding.measured().meanMemoryShare(),
            tokensPerSecond(finding, text),
            finding.mixing() == null ? "" : "   " + MixingFacts.of(finding.mixing())));
    StringBuilder buckets = new StringBuilder("         by training count:");
    for (FrequencyBuckets.Bucket bucket : buckets(finding, text, frequencies)) {
      if (bucket.numPositions() > 0) {
        buckets.append(String.format(Locale.ROOT, "  %s %.2f", bucket.name(), bucket.perplexity()));
      }
    }
    lines.add(buckets.toString());
    MemoryStudy.Retrieval retrieval = finding.retrieval();
    if (retrieval != null) {
      StringBuilder recall = new StringBuilder("         recall");
      recall(retrieval)
          .forEach((k, share) -> recall.append(String.format(Locale.ROOT, "  @%s %.3f", k, share)));
      lines.add(
          recall
              + String.format(
                  Locale.ROOT,
                  "   %,d items of %.1f bytes   external share %.3f",
                  retrieval.memory().numItems(),
                  retrieval.memory().bytesPerItem(),
                  finding.measured().meanExternalShare()));
      if (!retrieval.policy().equals(SearchPolicy.EVERYWHERE)) {
        lines.add(searched(retrieval));
      }
    }
    return lines;
  }
}
