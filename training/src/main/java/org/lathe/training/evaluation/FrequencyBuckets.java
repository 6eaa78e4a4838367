package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.lathe.training.data.TokenFile;

/**
 * Perplexity by how often the right next token occurs in the training text: memory helps rare and
 * frequent ones differently.
 */
public final class FrequencyBuckets {
  /** Smallest count of each bucket, the most frequent first. */
  private static final ImmutableList<Long> SMALLEST =
      ImmutableList.of(10_001L, 1_001L, 101L, 11L, 0L);

  private static final ImmutableList<String> NAMES =
      ImmutableList.of(">10k", "1k-10k", "100-1k", "10-100", "<=10");

  /**
   * One bucket.
   *
   * @param name range of training counts; the upper end is part of it, the lower one is not
   * @param numPositions whose target lies in it
   * @param perplexity of these; NaN where there is none
   */
  public record Bucket(String name, int numPositions, double perplexity) {}

  private final long[] counts;

  /**
   * @param counts training occurrences of each token
   */
  public FrequencyBuckets(long[] counts) {
    this.counts = counts.clone();
  }

  /** Counts every token of the training text once. */
  public static FrequencyBuckets of(TokenFile train) {
    long[] counts = new long[train.vocabularySize()];
    for (long i = 0; i < train.size(); i++) {
      counts[train.get(i)]++;
    }
    return new FrequencyBuckets(counts);
  }

  /** All five buckets, the most frequent tokens first. */
  public List<Bucket> of(int[] targets, double[] logProbabilities) {
    Preconditions.checkArgument(
        targets.length == logProbabilities.length,
        "%s targets, %s probabilities",
        targets.length,
        logProbabilities.length);
    double[] sums = new double[NAMES.size()];
    int[] sizes = new int[NAMES.size()];
    for (int i = 0; i < targets.length; i++) {
      int bucket = bucket(targets[i]);
      sums[bucket] -= logProbabilities[i];
      sizes[bucket]++;
    }
    List<Bucket> buckets = new ArrayList<>();
    for (int b = 0; b < sums.length; b++) {
      buckets.add(new Bucket(NAMES.get(b), sizes[b], Math.exp(sums[b] / sizes[b])));
    }
    return buckets;
  }

  private int bucket(int target) {
    // a token of another corpus may be beyond what the training text has
    long count = target < counts.length ? counts[target] : 0;
    int bucket = 0;
    while (count < SMALLEST.get(bucket)) {
      bucket++;
    }
    return bucket;
  }
}
