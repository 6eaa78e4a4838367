package org.lathe.training.similarity;

import com.google.common.primitives.Ints;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** How often tokens occur in all documents together, whatever shard these lie in. */
final class TermCounts {
  /** A token and how often a document has it. */
  record Term(int token, int count) {}

  private final int numDocuments;
  private long totalTokens;
  private long totalTerms;
  private int[] documentFrequency = new int[0];
  private long[] frequency = new long[0];

  /** Reads all documents once. */
  TermCounts(TokenDocuments documents) {
    numDocuments = documents.size();
    for (int i = 0; i < numDocuments; i++) {
      for (Term term : terms(documents.tokens(i))) {
        documentFrequency = Ints.ensureCapacity(documentFrequency, term.token + 1, term.token);
        if (frequency.length < documentFrequency.length) {
          frequency = Arrays.copyOf(frequency, documentFrequency.length);
        }
        documentFrequency[term.token]++;
        frequency[term.token] += term.count;
        totalTokens += term.count;
        totalTerms++;
      }
    }
  }

  /** Distinct tokens in ascending order. */
  static List<Term> terms(int[] tokens) {
    int[] sorted = tokens.clone();
    Arrays.sort(sorted);
    List<Term> terms = new ArrayList<>();
    for (int start = 0, end; start < sorted.length; start = end) {
      end = start + 1;
      while (end < sorted.length && sorted[end] == sorted[start]) {
        end++;
      }
      terms.add(new Term(sorted[start], end - start));
    }
    return terms;
  }

  /** The rarest terms: fewest documents first, then the smaller token. */
  List<Term> rarest(List<Term> terms, int limit) {
    if (terms.size() <= limit) {
      return terms;
    }
    return terms.stream()
        .sorted(
            Comparator.comparingInt((Term term) -> documentFrequency[term.token])
                .thenComparingInt(Term::token))
        .limit(limit)
        .toList();
  }

  int numDocuments() {
    return numDocuments;
  }

  /** Tokens in all documents. */
  long totalTokens() {
    return totalTokens;
  }

  /** Pairs of document and distinct token. */
  long totalTerms() {
    return totalTerms;
  }

  /** Documents that hold a token. */
  int documentFrequency(int token) {
    return documentFrequency[token];
  }

  /** Occurrences of a token. */
  long frequency(int token) {
    return frequency[token];
  }
}
