package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.lathe.training.datastore.NeighborSearch.Metric;

/**
 * Keys in lists, each around a centroid, in the heap. A search reads the lists whose centroids are
 * nearest to the query. The same keys and settings give the same index.
 *
 * @param width D
 * @param centroids row-major (L, D)
 * @param items per list, ascending: the item of each of its keys
 * @param codes per list: its keys as {@link KeyCode} says
 */
public record IvfIndex(
    Metric metric, int width, KeyCode code, float[] centroids, int[][] items, byte[][] codes) {

  /** Keys whose residuals codewords are fitted to. */
  private static final int MAX_CODE_SAMPLES = 1 << 15;

  public int numLists() {
    return items.length;
  }

  public int numKeys() {
    return Arrays.stream(items).mapToInt(list -> list.length).sum();
  }

  /** Of codes, items and centroids. */
  public long numBytes() {
    long numBytes = (long) centroids.length * Float.BYTES;
    for (int list = 0; list < items.length; list++) {
      numBytes += codes[list].length + (long) items[list].length * Integer.BYTES;
    }
    return numBytes;
  }

  /**
   * Clusters keys, sorts them into lists and encodes them.
   *
   * @param keys row-major (N, D); item numbers are row numbers
   * @param threads 0 = all cores
   */
  public static IvfIndex build(
      float[] keys, int width, Metric metric, IvfSettings settings, int threads) {
    Preconditions.checkArgument(
        keys.length > 0 && keys.length % width == 0,
        "%s values are not rows of width %s",
        keys.length,
        width);
    int numKeys = keys.length / width;
    int numLists = Math.min(settings.numLists(), numKeys);
    long wanted = (long) numLists * settings.samplesPerList();
    int[] sample = KMeans.choose(numKeys, (int) Math.min(numKeys, wanted), settings.seed());
    float[] centroids =
        KMeans.train(
            KMeans.rows(keys, width, sample),
            width,
            numLists,
            settings.numIterations(),
            settings.seed() + 1,
            threads);
    int[] nearest;
    try (CentroidAssigner assigner = new CentroidAssigner(width, threads)) {
      nearest = assigner.assign(keys, centroids);
    }
    KeyCode code = fit(keys, width, centroids, nearest, settings, threads);
    int[][] items = lists(nearest, numLists);
    byte[][] codes = new byte[numLists][];
    int assignedWidth = code.numSubvectors() > 0 ? code.subWidth() : width;
    try (CentroidAssigner assigner = new CentroidAssigner(assignedWidth, threads)) {
      for (int list = 0; list < numLists; list++) {
        codes[list] =
            code.encode(points(keys, width, items[list], centroids, nearest, code), assigner);
      }
    }
    return new IvfIndex(metric, width, code, centroids, items, codes);
  }

  private static KeyCode fit(
      float[] keys,
      int width,
      float[] centroids,
      int[] nearest,
      IvfSettings settings,
      int threads) {
    // scales must cover every key, codewords only need to be typical
    int number =
        switch (settings.encoding()) {
          case FLOAT32, FLOAT16 -> 0;
          case INT8 -> nearest.length;
          case PRODUCT -> Math.min(nearest.length, MAX_CODE_SAMPLES);
        };
    int[] some = KMeans.choose(nearest.length, number, settings.seed() + 2);
    float[] residuals = residuals(keys, width, some, centroids, nearest);
    return KeyCode.fit(settings, width, residuals, settings.seed() + 3, threads);
  }

  private static int[][] lists(int[] nearest, int numLists) {
    int[] sizes = new int[numLists];
    for (int list : nearest) {
      sizes[list]++;
    }
    int[][] items = new int[numLists][];
    Arrays.setAll(items, list -> new int[sizes[list]]);
    int[] filled = new int[numLists];
    for (int item = 0; item < nearest.length; item++) {
      int list = nearest[item];
      items[list][filled[list]++] = item;
    }
    return items;
  }

  private static float[] points(
      float[] keys, int width, int[] items, float[] centroids, int[] nearest, KeyCode code) {
    return code.encoding().isResidual()
        ? residuals(keys, width, items, centroids, nearest)
        : KMeans.rows(keys, width, items);
  }

  /** k - centroid of the chosen keys. */
  private static float[] residuals(
      float[] keys, int width, int[] chosen, float[] centroids, int[] nearest) {
    float[] residuals = KMeans.rows(keys, width, chosen);
    for (int i = 0; i < chosen.length; i++) {
      int centroid = nearest[chosen[i]] * width;
      for (int d = 0; d < width; d++) {
        residuals[i * width + d] -= centroids[centroid + d];
      }
    }
    return residuals;
  }

  /** The same lists without the items that are no longer live; the others keep their numbers. */
  public IvfIndex retain(IntPredicate live) {
    int[][] liveItems = new int[numLists()][];
    byte[][] liveCodes = new byte[numLists()][];
    int numBytes = code.numBytes();
    for (int list = 0; list < numLists(); list++) {
      liveItems[list] = Arrays.stream(items[list]).filter(live).toArray();
      liveCodes[list] = new byte[liveItems[list].length * numBytes];
      int kept = 0;
      for (int i = 0; i < items[list].length; i++) {
        if (live.test(items[list][i])) {
          System.arraycopy(codes[list], i * numBytes, liveCodes[list], kept++ * numBytes, numBytes);
        }
      }
    }
    return new IvfIndex(metric, width, code, centroids, liveItems, liveCodes);
  }

  /** A stored key as a search sees it, row-major (1, D). */
  float[] decode(int list, int index) {
    float[] key = new float[width];
    code.decode(codes[list], index, key);
    if (code.encoding().isResidual()) {
      for (int d = 0; d < width; d++) {
        key[d] += centroids[list * width + d];
      }
    }
    return key;
  }

  /** -|k|^2 / 2 of a list's keys as they are decoded, zeros for inner products. */
  float[] bias(int list) {
    float[] bias = new float[items[list].length];
    if (metric == Metric.SQUARED_L2) {
      for (int i = 0; i < bias.length; i++) {
        double norm = 0;
        for (float value : decode(list, i)) {
          norm += (double) value * value;
        }
        bias[i] = (float) (-norm / 2);
      }
    }
    return bias;
  }
}
