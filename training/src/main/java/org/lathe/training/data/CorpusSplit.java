package org.lathe.training.data;

import com.google.common.hash.HashCode;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.lathe.graphs.errors.ConfigException;

/** Cuts a corpus into train, valid and test between documents, never inside one. */
public final class CorpusSplit {
  private CorpusSplit() {}

  /** The three parts, each in the order of the corpus. */
  public record Split(List<Document> train, List<Document> valid, List<Document> test) {}

  /**
   * Drops documents whose text stood before, orders the rest by a hash of seed and id, and gives
   * the first ones to test, the next to valid (each the rounded fraction, at least one) and the
   * others to train. Depends on ids and seed only, not on the order of the documents.
   *
   * @throws ConfigException when there are too few documents for three parts
   */
  public static Split byDocument(
      List<Document> documents, double validFraction, double testFraction, long seed) {
    List<Document> distinct = distinct(documents);
    int numValid = Math.max(1, (int) Math.round(distinct.size() * validFraction));
    int numTest = Math.max(1, (int) Math.round(distinct.size() * testFraction));
    if (numValid + numTest >= distinct.size()) {
      throw new ConfigException(
          "The corpus has %d different documents, too few for a train, a valid (%s) and a test (%s) part; add sources, or separate the documents of a text file by lines %s."
              .formatted(
                  distinct.size(), validFraction, testFraction, CorpusReader.DOCUMENT_SEPARATOR));
    }
    List<Document> shuffled = byHash(distinct, seed);
    Set<Document> test = new HashSet<>(shuffled.subList(0, numTest));
    Set<Document> valid = new HashSet<>(shuffled.subList(numTest, numTest + numValid));
    List<Document> train = new ArrayList<>(distinct);
    train.removeIf(document -> test.contains(document) || valid.contains(document));
    return new Split(
        List.copyOf(train),
        distinct.stream().filter(valid::contains).toList(),
        distinct.stream().filter(test::contains).toList());
  }

  /** The documents in an order that depends on seed and ids only. */
  static List<Document> byHash(List<Document> documents, long seed) {
    Map<String, String> hashes = new HashMap<>();
    for (Document document : documents) {
      HashCode hash =
          Hashing.sha256()
              .newHasher()
              .putLong(seed)
              .putString(document.id(), StandardCharsets.UTF_8)
              .hash();
      hashes.put(document.id(), hash.toString());
    }
    return documents.stream()
        .sorted(
            Comparator.comparing((Document document) -> hashes.getOrDefault(document.id(), ""))
                .thenComparing(Document::id))
        .toList();
  }

  private static List<Document> distinct(List<Document> documents) {
    Set<HashCode> seen = new HashSet<>();
    return documents.stream()
        .filter(
            document ->
                seen.add(Hashing.sha256().hashString(document.text(), StandardCharsets.UTF_8)))
        .toList();
  }
}
