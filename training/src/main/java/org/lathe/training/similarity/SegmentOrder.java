package org.lathe.training.similarity;

import com.google.common.base.Preconditions;
import java.util.List;
import java.util.Random;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.data.TokenFile;

/**
 * The segments of a text in an order in which neighbours are similar. Segment i is the tokens from
 * i * T on.
 *
 * @param segments every segment once
 * @param numFollowed how many of them are a hit of the one before
 */
public record SegmentOrder(int[] segments, int numFollowed) {
  /**
   * @throws IllegalArgumentException when it is no permutation or numFollowed is impossible
   */
  public SegmentOrder {
    boolean[] seen = new boolean[segments.length];
    for (int segment : segments) {
      Preconditions.checkArgument(
          segment >= 0 && segment < segments.length && !seen[segment],
          "segment %s is outside [0, %s) or stands twice",
          segment,
          segments.length);
      seen[segment] = true;
    }
    Preconditions.checkArgument(
        numFollowed >= 0 && numFollowed <= Math.max(0, segments.length - 1),
        "%s of %s segments cannot follow a hit",
        numFollowed,
        segments.length);
  }

  /**
   * Searches a text and chains its segments.
   *
   * @param segmentLength T; tokens after the last full segment and its last target are left out
   * @param seed of the chain's start and jumps
   * @param threads that search; 0 = one per core
   * @throws ConfigException when the text is shorter than one segment
   */
  public static SegmentOrder of(
      TokenFile tokens,
      int segmentLength,
      SimilarityConfig config,
      long seed,
      int threads,
      ProgressListener progress) {
    int numSegments = numSegments(tokens, segmentLength);
    if (numSegments == 0) {
      throw new ConfigException(
          "%s has %d tokens, but a segment and its last target need %d; choose a smaller segment, or add text."
              .formatted(tokens.path(), tokens.size(), segmentLength + 1));
    }
    TokenDocuments documents =
        new TokenDocuments() {
          @Override
          public int size() {
            return numSegments;
          }

          @Override
          public int[] tokens(int document) {
            int[] segment = new int[segmentLength];
            tokens.read((long) document * segmentLength, segment, 0, segmentLength);
            return segment;
          }
        };
    int cores = Runtime.getRuntime().availableProcessors();
    List<SimilaritySearch.Hits> hits =
        SimilaritySearch.all(documents, config, threads == 0 ? cores : threads, progress);
    return chain(hits.stream().map(SimilaritySearch.Hits::documents).toList(), seed);
  }

  /** Full segments in a text, each with its last target. */
  public static int numSegments(TokenFile tokens, int segmentLength) {
    return (int) Math.max(0, Math.min(Integer.MAX_VALUE, (tokens.size() - 1) / segmentLength));
  }

  /**
   * TRIME's algorithm 1: from a random segment always on to the best hit not yet used, and where
   * there is none to the next unused segment of a shuffled list.
   *
   * @param hits of each segment, best first
   */
  static SegmentOrder chain(List<int[]> hits, long seed) {
    int size = hits.size();
    int[] shuffled = shuffled(size, new Random(seed));
    int[] order = new int[size];
    boolean[] used = new boolean[size];
    int numFollowed = 0;
    int nextJump = 0;
    int current = -1;
    for (int i = 0; i < size; i++) {
      int next = current < 0 ? -1 : firstUnused(hits.get(current), used);
      if (next >= 0) {
        numFollowed++;
      } else {
        while (used[shuffled[nextJump]]) {
          nextJump++;
        }
        next = shuffled[nextJump];
      }
      order[i] = next;
      used[next] = true;
      current = next;
    }
    return new SegmentOrder(order, numFollowed);
  }

  /** Share of the steps along the order that went to a hit; 1 for a single segment. */
  public double hitRate() {
    return segments.length < 2 ? 1 : (double) numFollowed / (segments.length - 1);
  }

  private static int firstUnused(int[] hits, boolean[] used) {
    for (int hit : hits) {
      if (!used[hit]) {
        return hit;
      }
    }
    return -1;
  }

  /** The numbers below size in a random order. */
  public static int[] shuffled(int size, Random random) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int other = random.nextInt(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }
}
