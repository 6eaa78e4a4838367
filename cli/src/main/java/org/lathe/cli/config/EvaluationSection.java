package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.memory.InterpolationBuckets.Feature;

/**
 * How a language model is measured. Perplexity depends on window and stride, so results name both.
 *
 * @param window tokens the model reads at once
 * @param stride tokens newly predicted per window
 * @param longTermItems items of long-term memory or of the long cache
 * @param neighbors K of the nearest-neighbor datastore
 * @param index how a store is searched: exact, ivf (inverted file), or auto, which is exact up to
 *     200,000 items and always for the training text in memory
 * @param probes lists of an inverted file that a search reads
 * @param encoding of keys in an inverted file
 * @param interpolation what the weight of retrieved items depends on: constant, confidence (of the
 *     model without memory) or best-score (of the best retrieved item)
 * @param skipSearch part of the positions that are not searched: those at which the model is surest
 * @param pointers whether the successors of the last position's items are candidates besides those
 *     that a search finds
 * @param exclusionRadius where the store holds the measured text itself: positions on either side
 *     of a query's own, which is always left out, that are left out too
 * @param maxTokens measure so many tokens of the split; 0 = all
 * @param storeTokens training tokens in the datastore; 0 = all
 */
public record EvaluationSection(
    int window,
    int stride,
    int longTermItems,
    int neighbors,
    IndexKind index,
    int probes,
    KeyEncoding encoding,
    InterpolationKind interpolation,
    double skipSearch,
    boolean pointers,
    int exclusionRadius,
    long maxTokens,
    long storeTokens) {
  /** Ways to search a store. */
  public enum IndexKind {
    AUTO,
    EXACT,
    IVF
  }

  /** What the weight of retrieved items depends on. */
  public enum InterpolationKind {
    CONSTANT,
    CONFIDENCE,
    @JsonProperty("best-score")
    BEST_SCORE;

    /** By which positions are sorted. */
    public Feature feature() {
      return switch (this) {
        case CONSTANT -> Feature.CONSTANT;
        case CONFIDENCE -> Feature.CONFIDENCE;
        case BEST_SCORE -> Feature.BEST_SCORE;
      };
    }
  }

  public EvaluationSection {
    Check.between("evaluation.window", window, 2, 1_048_576);
    Check.require(
        stride >= 1 && stride <= window,
        "evaluation.stride",
        stride,
        "a whole number from 1 to evaluation.window (" + window + ")");
    Check.between("evaluation.longTermItems", longTermItems, 1, 1_048_576);
    Check.between("evaluation.neighbors", neighbors, 1, 65_536);
    Check.between("evaluation.probes", probes, 1, 1_048_576);
    Check.below("evaluation.skipSearch", skipSearch, 0, 1);
    Check.between("evaluation.exclusionRadius", exclusionRadius, 0, 65_536);
    Check.atLeast("evaluation.maxTokens", maxTokens, 0);
    Check.atLeast("evaluation.storeTokens", storeTokens, 0);
  }
}
