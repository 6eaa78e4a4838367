package org.lathe.graphs.config;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.List;

/**
 * A vocabulary in clusters, frequent words first (Baevski and Auli 2019): word ids are numbered by
 * falling frequency and split at the cut-offs into a short list and tail clusters. Cluster i = 0,
 * 1, ... has vectors of width D / factor^i, so rare words are cheap to hold and to normalize.
 *
 * @param cutoffs first id of each tail cluster, ascending, all below V; at least one
 * @param factor by which each cluster's vectors are narrower than the last one's; 1 keeps D
 * @param tiedProjections the output uses the input's projections of the tail clusters; without
 *     effect where the output is not tied
 * @param softmaxDropout rate on f, the input of the softmax, while training; the memory
 *     representation g has none
 */
public record AdaptiveVocabulary(
    List<Integer> cutoffs, int factor, boolean tiedProjections, double softmaxDropout) {

  /** The words from {@code begin} to below {@code end}, with vectors of {@code width} numbers. */
  public record Cluster(int begin, int end, int width) {
    public int size() {
      return end - begin;
    }
  }

  public AdaptiveVocabulary {
    cutoffs = ImmutableList.copyOf(cutoffs);
    Preconditions.checkArgument(
        !cutoffs.isEmpty(), "an adaptive vocabulary needs at least one cut-off");
    int before = 0;
    for (int cutoff : cutoffs) {
      Preconditions.checkArgument(
          cutoff > before, "cutoffs %s must be positive and ascending", cutoffs);
      before = cutoff;
    }
    Preconditions.checkArgument(factor >= 1, "factor (%s) must be at least 1", factor);
    Preconditions.checkArgument(
        softmaxDropout >= 0 && softmaxDropout < 1,
        "softmaxDropout (%s) must be in [0, 1)",
        softmaxDropout);
  }

  /**
   * The short list, then the tail clusters.
   *
   * @throws IllegalArgumentException when a cluster would hold no word or its vectors no number
   */
  public List<Cluster> clusters(int vocabularySize, int hiddenSize) {
    int last = cutoffs.get(cutoffs.size() - 1);
    Preconditions.checkArgument(
        last < vocabularySize,
        "cut-off %s leaves no word in the last cluster; the vocabulary has %s",
        last,
        vocabularySize);
    ImmutableList.Builder<Cluster> clusters = ImmutableList.builder();
    int begin = 0;
    int width = hiddenSize;
    for (int i = 0; i <= cutoffs.size(); i++) {
      Preconditions.checkArgument(
          width >= 1,
          "factor %s leaves vectors of width 0 in cluster %s; hiddenSize is %s",
          factor,
          i,
          hiddenSize);
      int end = i < cutoffs.size() ? cutoffs.get(i) : vocabularySize;
      clusters.add(new Cluster(begin, end, width));
      begin = end;
      width /= factor;
    }
    return clusters.build();
  }
}
