package org.lathe.training.similarity;

import org.lathe.graphs.errors.ConfigException;

/**
 * How similar segments are found (BM25, TRIME section 4.2).
 *
 * @param k1 how fast a repeated token saturates; 0 = a token counts once
 * @param b how much long segments are discounted, from 0 to 1; segments of one length are not
 *     affected
 * @param hits most similar other segments kept for each segment
 * @param queryTerms distinct tokens of a segment that are searched for, the rarest first
 * @param shards parts of the text that are indexed and searched one after the other, so that one
 *     part's index is in memory; the result does not depend on them
 */
public record SimilarityConfig(double k1, double b, int hits, int queryTerms, int shards) {
  /** Lucene refuses queries of more clauses than this unless a setting of the whole JVM changes. */
  public static final int MAX_QUERY_TERMS = 1024;

  /** More would make the lists of hits larger than the text. */
  public static final int MAX_HITS = 1000;

  /** More would be smaller than any text needs. */
  public static final int MAX_SHARDS = 1 << 16;

  /** Anserini's k1 and b, which TRIME used, and TRIME's 20 hits. */
  public static final SimilarityConfig DEFAULT =
      new SimilarityConfig(0.9, 0.4, 20, MAX_QUERY_TERMS, 1);

  public SimilarityConfig {
    require(k1 >= 0 && Double.isFinite(k1), "k1", k1, "a number of at least 0");
    require(b >= 0 && b <= 1, "b", b, "a number from 0 to 1");
    requireBetween("hits", hits, MAX_HITS);
    requireBetween("queryTerms", queryTerms, MAX_QUERY_TERMS);
    requireBetween("shards", shards, MAX_SHARDS);
  }

  private static void requireBetween(String name, int value, int most) {
    require(value >= 1 && value <= most, name, value, "a whole number from 1 to " + most);
  }

  private static void require(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new ConfigException(
          "similarity: %s is %s; expected %s".formatted(name, value, expected));
    }
  }
}
