package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import org.lathe.graphs.retrieval.KeyEncoding;

/**
 * How an {@link IvfIndex} is built.
 *
 * @param numLists L; fewer where there are fewer keys. More lists make a search look at fewer keys,
 *     and a build slower; {@link #defaultNumLists} is a fair start
 * @param numIterations of k-means
 * @param samplesPerList keys for k-means, chosen at random
 * @param numSubvectors M for PRODUCT, a divisor of the width; otherwise not used
 * @param seed of everything random
 */
public record IvfSettings(
    int numLists,
    int numIterations,
    int samplesPerList,
    KeyEncoding encoding,
    int numSubvectors,
    long seed) {
  private static final int ITERATIONS = 10;
  private static final int SAMPLES = 64;
  private static final int BYTES_PER_KEY = 16;

  public IvfSettings {
    Preconditions.checkArgument(numLists >= 1, "numLists (%s) must be at least 1", numLists);
    Preconditions.checkArgument(
        numIterations >= 0, "numIterations (%s) must not be negative", numIterations);
    Preconditions.checkArgument(
        samplesPerList >= 1, "samplesPerList (%s) must be at least 1", samplesPerList);
    Preconditions.checkArgument(
        encoding != KeyEncoding.PRODUCT || numSubvectors >= 1,
        "numSubvectors (%s) must be at least 1",
        numSubvectors);
  }

  /** The square root of the number of keys. */
  public static int defaultNumLists(int numKeys) {
    return Math.max(1, (int) Math.round(Math.sqrt(numKeys)));
  }

  /** For this many keys, which are stored as they are. */
  public static IvfSettings of(int numKeys, long seed) {
    return new IvfSettings(
        defaultNumLists(numKeys), ITERATIONS, SAMPLES, KeyEncoding.FLOAT32, BYTES_PER_KEY, seed);
  }

  public IvfSettings with(KeyEncoding newEncoding) {
    return new IvfSettings(
        numLists, numIterations, samplesPerList, newEncoding, numSubvectors, seed);
  }

  public IvfSettings withNumLists(int newNumLists) {
    return new IvfSettings(
        newNumLists, numIterations, samplesPerList, encoding, numSubvectors, seed);
  }
}
