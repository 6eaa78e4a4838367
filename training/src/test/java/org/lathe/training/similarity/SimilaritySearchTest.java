package org.lathe.training.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lathe.training.data.ProgressListener;

class SimilaritySearchTest {
  /** Lucene keeps lengths up to this exactly. */
  private static final int MAX_EXACT_LENGTH = 39;

  @Test
  void scoresAreThoseOfTheFormulaAndHitsAreTheBest() {
    List<int[]> documents = documents(60, 3);
    for (SimilarityConfig config :
        List.of(
            SimilarityConfig.DEFAULT,
            new SimilarityConfig(0.9, 0.4, 5, 1024, 1),
            new SimilarityConfig(1.7, 1, 20, 1024, 1),
            new SimilarityConfig(0, 0, 20, 1024, 3))) {
      List<SimilaritySearch.Hits> hits = search(documents, config, 1);
      for (int query = 0; query < documents.size(); query++) {
        double[] expected = scores(documents, documents.get(query), config);
        SimilaritySearch.Hits found = hits.get(query);
        int self = query;
        long matching =
            IntStream.range(0, expected.length).filter(i -> i != self && expected[i] > 0).count();
        assertThat(found.documents()).hasSize((int) Math.min(config.hits(), matching));
        assertThat(found.documents()).doesNotContain(query).doesNotHaveDuplicates();
        double[] best =
            IntStream.range(0, expected.length)
                .filter(i -> i != self)
                .mapToObj(i -> expected[i])
                .sorted(Comparator.reverseOrder())
                .mapToDouble(Double::doubleValue)
                .toArray();
        for (int i = 0; i < found.documents().length; i++) {
          assertThat((double) found.scores()[i])
              .isCloseTo(expected[found.documents()[i]], within(1e-5 * (1 + best[i])))
              .isCloseTo(best[i], within(1e-5 * (1 + best[i])));
        }
      }
    }
  }

  @Test
  void shardsAndThreadsChangeNothing() {
    List<int[]> documents = documents(70, 4);
    // equal documents have equal scores and go by their numbers
    documents.addAll(documents.subList(0, 20));
    List<SimilaritySearch.Hits> expected = search(documents, config(7, 1024, 1), 1);
    for (int shards : new int[] {1, 2, 7, 500}) {
      for (int threads : new int[] {1, 3}) {
        List<SimilaritySearch.Hits> found = search(documents, config(7, 1024, shards), threads);
        for (int i = 0; i < documents.size(); i++) {
          assertThat(found.get(i).documents()).isEqualTo(expected.get(i).documents());
          assertThat(found.get(i).scores()).isEqualTo(expected.get(i).scores());
        }
      }
    }
  }

  @Test
  void equalDocumentsComeInTheOrderOfTheirNumbers() {
    List<int[]> documents = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      documents.add(new int[] {5, 6});
    }
    List<SimilaritySearch.Hits> hits = search(documents, config(3, 1024, 2), 2);
    assertThat(hits.get(8).documents()).containsExactly(0, 1, 2);
    assertThat(hits.get(1).documents()).containsExactly(0, 2, 3);
  }

  @Test
  void repeatedTokensOfTheQueryCountRepeatedly() {
    // 1 stands three times in the query, 2 once; both are in one other document each
    List<int[]> documents = List.of(new int[] {1, 1, 1, 2}, new int[] {2, 8, 8, 8}, ones());
    assertThat(search(documents, config(20, 1024, 1), 1).get(0).documents()).containsExactly(2, 1);
  }

  private static int[] ones() {
    return new int[] {1, 9, 9, 9};
  }

  @Test
  void queriesOfMoreTermsThanLuceneTakesAreCutToTheRarest() {
    int limit = SimilarityConfig.MAX_QUERY_TERMS;
    int[] all = IntStream.range(0, 3 * limit).toArray();
    int[] common = IntStream.range(0, 2 * limit).toArray();
    int[] rare = IntStream.range(2 * limit, 2 * limit + 5).toArray();
    List<SimilaritySearch.Hits> hits =
        search(List.of(all, common, rare, common), config(20, limit, 1), 1);
    // the rarest terms of all leave those of the common documents out
    assertThat(hits.get(0).documents()).containsExactly(2);
    // with fewer rare ones they come in
    assertThat(hits.get(1).documents()).containsExactly(3, 0);
  }

  @Test
  void rarestTermsAreThoseOfFewestDocumentsThenSmallest() {
    TokenDocuments documents =
        documents(List.of(new int[] {1, 2, 3, 4}, new int[] {2, 4}, new int[] {4}));
    TermCounts counts = new TermCounts(documents);
    List<TermCounts.Term> terms = TermCounts.terms(new int[] {4, 3, 2, 1, 3});
    assertThat(counts.rarest(terms, 3))
        .containsExactly(
            new TermCounts.Term(1, 1), new TermCounts.Term(3, 2), new TermCounts.Term(2, 1));
    assertThat(counts.totalTokens()).isEqualTo(7);
    assertThat(counts.documentFrequency(4)).isEqualTo(3);
  }

  @Test
  void progressEndsAtTheTotal() {
    List<Long> seen = new ArrayList<>();
    SimilaritySearch.all(
        documents(documents(30, 5)),
        config(3, 1024, 3),
        2,
        (what, done, total) -> {
          assertThat(total).isEqualTo(90);
          seen.add(done);
        });
    assertThat(seen).hasSize(90).contains(90L);
  }

  /** BM25 in double, written from its formula. */
  private static double[] scores(List<int[]> documents, int[] query, SimilarityConfig config) {
    double mean = documents.stream().mapToInt(d -> d.length).average().orElseThrow();
    double[] scores = new double[documents.size()];
    for (int i = 0; i < scores.length; i++) {
      int[] document = documents.get(i);
      // a token that stands q times in the query is simply added q times
      for (int token : query) {
        long f = Arrays.stream(document).filter(t -> t == token).count();
        if (f > 0) {
          long n =
              documents.stream().filter(d -> Arrays.stream(d).anyMatch(t -> t == token)).count();
          double idf = Math.log(1 + (documents.size() - n + 0.5) / (n + 0.5));
          double norm = 1 - config.b() + config.b() * document.length / mean;
          scores[i] += idf * f / (f + config.k1() * norm);
        }
      }
    }
    return scores;
  }

  private static List<int[]> documents(int size, long seed) {
    Random random = new Random(seed);
    List<int[]> documents = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      int[] document = new int[1 + random.nextInt(MAX_EXACT_LENGTH)];
      for (int j = 0; j < document.length; j++) {
        // small ids are frequent
        document[j] = (int) Math.pow(200, random.nextDouble());
      }
      documents.add(document);
    }
    return documents;
  }

  static TokenDocuments documents(List<int[]> documents) {
    return new TokenDocuments() {
      @Override
      public int size() {
        return documents.size();
      }

      @Override
      public int[] tokens(int document) {
        return documents.get(document);
      }
    };
  }

  private static SimilarityConfig config(int hits, int queryTerms, int shards) {
    return new SimilarityConfig(0.9, 0.4, hits, queryTerms, shards);
  }

  private static List<SimilaritySearch.Hits> search(
      List<int[]> documents, SimilarityConfig config, int threads) {
    return SimilaritySearch.all(documents(documents), config, threads, ProgressListener.NONE);
  }
}
