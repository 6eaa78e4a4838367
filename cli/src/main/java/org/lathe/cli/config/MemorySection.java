package org.lathe.cli.config;

import org.lathe.graphs.config.MemoryConfig;
import org.lathe.training.similarity.SimilarityConfig;

/**
 * The memory in the training objective (TRIME section 3).
 *
 * @param objective none, local, consecutive (long-term) or external
 * @param dropLocal probability per batch that the own segment is hidden; external only
 * @param segmentsPerGroup segments of a batch that see each other: in a row of one document
 *     (consecutive) or of the order of similarity (external); 0 = the whole batch
 * @param keySize width of learned memory keys, 2 to model.hiddenSize; 0 = the memory representation
 *     itself, as in the paper
 * @param similarity how similar segments are found for a batch; external only
 */
public record MemorySection(
    MemoryConfig.MemoryObjective objective,
    double dropLocal,
    int segmentsPerGroup,
    int keySize,
    Similarity similarity) {
  /**
   * BM25 between segments.
   *
   * @param k1 how fast a repeated token saturates
   * @param b how much long segments are discounted
   * @param hits most similar segments kept for each segment
   * @param queryTerms distinct tokens of a segment searched for, the rarest first
   * @param shards parts of the text indexed one after the other; more need less memory
   */
  public record Similarity(double k1, double b, int hits, int queryTerms, int shards) {
    public Similarity {
      Check.notNegative("memory.similarity.k1", k1);
      Check.within("memory.similarity.b", b, 0, 1);
      Check.between("memory.similarity.hits", hits, 1, SimilarityConfig.MAX_HITS);
      Check.between(
          "memory.similarity.queryTerms", queryTerms, 1, SimilarityConfig.MAX_QUERY_TERMS);
      Check.between("memory.similarity.shards", shards, 1, SimilarityConfig.MAX_SHARDS);
    }

    public SimilarityConfig toSimilarityConfig() {
      return new SimilarityConfig(k1, b, hits, queryTerms, shards);
    }
  }

  public MemorySection {
    Check.within("memory.dropLocal", dropLocal, 0, 1);
    Check.require(
        dropLocal == 0 || objective == MemoryConfig.MemoryObjective.EXTERNAL,
        "memory.dropLocal",
        dropLocal,
        "0 unless memory.objective is external");
    Check.atLeast("memory.segmentsPerGroup", segmentsPerGroup, 0);
    Check.require(
        segmentsPerGroup == 0
            || objective == MemoryConfig.MemoryObjective.CONSECUTIVE
            || objective == MemoryConfig.MemoryObjective.EXTERNAL,
        "memory.segmentsPerGroup",
        segmentsPerGroup,
        "0 unless memory.objective is consecutive or external");
    Check.require(
        keySize == 0 || objective != MemoryConfig.MemoryObjective.NONE,
        "memory.keySize",
        keySize,
        "0 where memory.objective is none, which trains no keys");
  }

  /**
   * The objective's configuration.
   *
   * @param width of queries and keys of the model as first trained
   */
  public MemoryConfig toMemoryConfig(int width) {
    return new MemoryConfig(objective, 1 / Math.sqrt(width), dropLocal, segmentsPerGroup);
  }
}
