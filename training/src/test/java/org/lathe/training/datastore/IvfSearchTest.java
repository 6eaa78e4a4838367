package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.testdata.TestSession;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.datastore.NeighborSearch.Neighbors;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;

/** The inverted-file search beside the exact one, and its three forms beside each other. */
class IvfSearchTest {
  private static final int WIDTH = 16;
  private static final int NUM_KEYS = 3000;
  private static final int NUM_LISTS = 40;
  private static final int NUM_QUERIES = 50;
  private static final int NEIGHBORS = 10;

  private final float[] keys = clustered(NUM_KEYS, 1);
  private final float[] queries = clustered(NUM_QUERIES, 2);

  @ParameterizedTest
  @CsvSource({"INNER_PRODUCT, 1", "INNER_PRODUCT, 2", "SQUARED_L2, 1", "SQUARED_L2, 3"})
  void equalsExactSearchWhenAllListsAreRead(Metric metric, int threads) {
    Neighbors exact = exact(metric, NEIGHBORS);
    try (IvfSearch search =
        new IvfSearch(build(metric, KeyEncoding.FLOAT32), NUM_LISTS, NEIGHBORS, threads)) {
      Neighbors found = search.search(queries);
      assertThat(search.numKeys()).isEqualTo(NUM_KEYS);
      assertThat(found.items()).isEqualTo(exact.items());
      assertThat(found.scores())
          .usingComparatorWithPrecision(1e-4f)
          .containsExactly(exact.scores());
    }
  }

  /** Whole numbers: products are exact, so that ties are ties; the lower item comes first. */
  @Test
  void breaksTiesAsExactSearchDoes() {
    Random random = new Random(3);
    float[] few = new float[500 * 2];
    for (int i = 0; i < few.length; i++) {
      few[i] = random.nextInt(5) - 2;
    }
    float[] asked = Arrays.copyOf(few, 20);
    IvfIndex index = IvfIndex.build(few, 2, Metric.SQUARED_L2, settings(9, KeyEncoding.FLOAT32), 1);
    try (IvfSearch search = new IvfSearch(index, 9, 12, 2);
        ExactSearch exact = new ExactSearch(few, 2, 12, Metric.SQUARED_L2, 1)) {
      assertThat(search.search(asked).items()).isEqualTo(exact.search(asked).items());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 0.95, 0.99",
    "FLOAT16, 0.95, 0.99",
    "INT8, 0.93, 0.99",
    "PRODUCT, 0.4, 0.95",
  })
  void findsMostOfTheTrueNeighbours(KeyEncoding encoding, double atLeast, double rescored) {
    int probes = 12;
    for (Metric metric : Metric.values()) {
      Neighbors exact = exact(metric, NEIGHBORS);
      IvfIndex index = build(metric, encoding);
      try (IvfSearch search = new IvfSearch(index, probes, NEIGHBORS, 1);
          ExactRescoring again =
              new ExactRescoring(
                  new IvfSearch(index, probes + 12, 8 * NEIGHBORS, 1), keys, metric, NEIGHBORS)) {
        assertThat(recall(search.search(queries), exact)).as("%s", metric).isGreaterThan(atLeast);
        Neighbors found = search.search(queries);
        assertThat(found.recall(exact)).isEqualTo(recall(found, exact));
        Neighbors best = again.search(queries);
        assertThat(recall(best, exact)).as("%s rescored", metric).isGreaterThan(rescored);
        assertThat(best.numNeighbors()).isEqualTo(NEIGHBORS);
      }
    }
  }

  /** Fewer lists cannot find more: the recall of one probe is well below that of all. */
  @Test
  void readsOnlyTheProbedLists() {
    IvfIndex index = build(Metric.SQUARED_L2, KeyEncoding.FLOAT32);
    try (IvfSearch search = new IvfSearch(index, 1, NEIGHBORS, 1)) {
      assertThat(recall(search.search(queries), exact(Metric.SQUARED_L2, NEIGHBORS)))
          .isBetween(0.2, 0.95);
    }
  }

  @Test
  void fillsUpWhereTheProbedListsHoldFewer() {
    IvfIndex index = build(Metric.INNER_PRODUCT, KeyEncoding.FLOAT32);
    int wanted = 600;
    try (IvfSearch search = new IvfSearch(index, 1, wanted, 2);
        IvfSearch all = new IvfSearch(index, NUM_LISTS, 2 * NUM_KEYS, 2)) {
      Neighbors found = search.search(queries);
      assertThat(found.numNeighbors()).isEqualTo(wanted);
      assertThat(found.scores()[wanted - 1]).isEqualTo(Float.NEGATIVE_INFINITY);
      assertThat(found.items()[wanted - 1]).isZero();
      assertThat(found.scores()[0]).isFinite();
      assertThat(all.search(queries).numNeighbors()).isEqualTo(NUM_KEYS);
    }
  }

  /** What is kept of so many neighbours bounds how many queries are searched together. */
  @Test
  void manyNeighboursInSeveralRuns() {
    IvfIndex index = build(Metric.INNER_PRODUCT, KeyEncoding.FLOAT32);
    float[] many = clustered(1500, 5);
    try (IvfSearch search = new IvfSearch(index, NUM_LISTS, NUM_KEYS, 2)) {
      assertThat(search.queriesAtOnce()).isBetween(1000, 1499);
      int[] items = search.search(many).items();
      for (int query : new int[] {0, search.queriesAtOnce() - 1, search.queriesAtOnce(), 1499}) {
        float[] one = Arrays.copyOfRange(many, query * WIDTH, (query + 1) * WIDTH);
        int[] found = Arrays.copyOfRange(items, query * NUM_KEYS, query * NUM_KEYS + 50);
        assertThat(Arrays.copyOf(search.search(one).items(), 50)).isEqualTo(found);
      }
    }
  }

  @Test
  void recallCountsWhatIsThere() {
    float none = Float.NEGATIVE_INFINITY;
    Neighbors expected = new Neighbors(2, new float[] {4, 3, 2, none}, new int[] {5, 6, 7, 0});
    Neighbors found = new Neighbors(2, new float[] {4, none, 3, 2}, new int[] {6, 5, 0, 7});
    assertThat(found.recall(expected)).isEqualTo(2 / 3.0);
    assertThat(expected.recall(expected)).isEqualTo(1);
    Neighbors fewer = new Neighbors(1, new float[] {1}, new int[] {5});
    assertThatThrownBy(() -> fewer.recall(expected)).hasMessageContaining("same queries");
  }

  /** A serving graph gives what the batch search gives, encoding by encoding. */
  @ParameterizedTest
  @EnumSource(KeyEncoding.class)
  void graphEqualsBatch(KeyEncoding encoding) {
    for (Metric metric : Metric.values()) {
      IvfIndex index = build(metric, encoding);
      for (int neighbors : new int[] {NEIGHBORS, 400}) {
        int probes = 3;
        try (IvfSearch search = new IvfSearch(index, probes, neighbors, 2);
            TestSession session = new TestSession()) {
          Neighbors batch = search.search(queries);
          IvfGraph.Found found =
              IvfTensors.graph(session.tf(), index)
                  .search(
                      session.tf(),
                      session.tf().constant(Shape.of(NUM_QUERIES, WIDTH), DataBuffers.of(queries)),
                      probes,
                      neighbors);
          double[] scores = session.evaluate(found.scoresQK());
          double[] items = session.evaluate(found.itemsQK());
          assertThat(scores).hasSize(batch.scores().length);
          int different = 0;
          for (int i = 0; i < scores.length; i++) {
            if (batch.scores()[i] == Float.NEGATIVE_INFINITY) {
              assertThat(scores[i]).isEqualTo(Double.NEGATIVE_INFINITY);
              assertThat(items[i]).isZero();
            } else {
              assertThat(scores[i]).isCloseTo(batch.scores()[i], within(1e-4));
              different += (int) items[i] == batch.items()[i] ? 0 : 1;
            }
          }
          // codes may make two keys equal, and rounding may order them in two ways
          assertThat(different).isLessThanOrEqualTo(scores.length / 100);
        }
      }
    }
  }

  /** Scores are those of the decoded keys, as plain arithmetic sums them. */
  @ParameterizedTest
  @EnumSource(KeyEncoding.class)
  void scoresAreThoseOfDecodedKeys(KeyEncoding encoding) {
    IvfIndex index = build(Metric.SQUARED_L2, encoding);
    float[][] decoded = new float[NUM_KEYS][];
    for (int list = 0; list < index.numLists(); list++) {
      for (int i = 0; i < index.items()[list].length; i++) {
        decoded[index.items()[list][i]] = index.decode(list, i);
      }
    }
    try (IvfSearch search = new IvfSearch(index, 5, NEIGHBORS, 2)) {
      Neighbors found = search.search(queries);
      for (int i = 0; i < found.items().length; i++) {
        double expected = 0;
        for (int d = 0; d < WIDTH; d++) {
          double k = decoded[found.items()[i]][d];
          expected += queries[i / NEIGHBORS * WIDTH + d] * k - k * k / 2;
        }
        assertThat((double) found.scores()[i]).isCloseTo(expected, within(1e-4));
      }
    }
  }

  @Test
  void removedItemsAreFoundNoMore() {
    IvfIndex index = build(Metric.INNER_PRODUCT, KeyEncoding.INT8).retain(item -> item % 3 != 0);
    assertThat(index.numKeys()).isEqualTo(NUM_KEYS - NUM_KEYS / 3);
    try (IvfSearch search = new IvfSearch(index, NUM_LISTS, NEIGHBORS, 1)) {
      int[] items = search.search(queries).items();
      assertThat(Arrays.stream(items)).allMatch(item -> item % 3 != 0);
      assertThat(Arrays.stream(items)).anyMatch(item -> item > 2 * NUM_KEYS / 3);
    }
  }

  @Test
  void sameSeedSameAnswersWhateverTheThreads() {
    List<Neighbors> answers = new ArrayList<>();
    for (int threads = 1; threads <= 3; threads++) {
      try (IvfSearch search =
          new IvfSearch(build(Metric.SQUARED_L2, KeyEncoding.PRODUCT), 4, NEIGHBORS, threads)) {
        answers.add(search.search(queries));
      }
    }
    for (Neighbors other : answers) {
      assertThat(other.items()).isEqualTo(answers.get(0).items());
      assertThat(other.scores()).isEqualTo(answers.get(0).scores());
    }
  }

  @Test
  void refusesNonsense() {
    assertThatThrownBy(() -> IvfIndex.build(new float[7], 3, Metric.SQUARED_L2, settings(2), 1))
        .hasMessageContaining("7 values are not rows of width 3");
    IvfIndex index = build(Metric.SQUARED_L2, KeyEncoding.FLOAT32);
    assertThatThrownBy(() -> new IvfSearch(index, 0, 1, 1)).hasMessageContaining("numProbes (0)");
    assertThatThrownBy(() -> new IvfSearch(index, 1, 0, 1)).hasMessageContaining("neighbors (0)");
    try (IvfSearch search = new IvfSearch(index, 1, 1, 1)) {
      assertThatThrownBy(() -> search.search(new float[WIDTH + 1]))
          .hasMessageContaining("not queries of width");
      assertThat(search.search(new float[0]).items()).isEmpty();
    }
  }

  private IvfIndex build(Metric metric, KeyEncoding encoding) {
    return IvfIndex.build(keys, WIDTH, metric, settings(NUM_LISTS, encoding), 1);
  }

  private static IvfSettings settings(int numLists) {
    return settings(numLists, KeyEncoding.FLOAT32);
  }

  static IvfSettings settings(int numLists, KeyEncoding encoding) {
    return new IvfSettings(numLists, 5, 64, encoding, 8, 11);
  }

  private Neighbors exact(Metric metric, int neighbors) {
    try (ExactSearch search = new ExactSearch(keys, WIDTH, neighbors, metric, 1)) {
      return search.search(queries);
    }
  }

  private static double recall(Neighbors found, Neighbors exact) {
    int hits = 0;
    int k = exact.numNeighbors();
    for (int begin = 0; begin < exact.items().length; begin += k) {
      Set<Integer> expected = new HashSet<>();
      for (int i = 0; i < k; i++) {
        expected.add(exact.items()[begin + i]);
      }
      for (int i = 0; i < k; i++) {
        hits += expected.contains(found.items()[begin + i]) ? 1 : 0;
      }
    }
    return (double) hits / exact.items().length;
  }

  /** Points around 25 centres that all seeds share, divided by their length, times 4. */
  static float[] clustered(int number, long seed) {
    Random centres = new Random(99);
    float[][] centre = new float[25][WIDTH];
    for (float[] one : centre) {
      for (int d = 0; d < WIDTH; d++) {
        one[d] = (float) centres.nextGaussian();
      }
    }
    Random random = new Random(seed);
    float[] points = new float[number * WIDTH];
    for (int i = 0; i < number; i++) {
      float[] near = centre[random.nextInt(centre.length)];
      double norm = 0;
      for (int d = 0; d < WIDTH; d++) {
        float value = near[d] + 0.5f * (float) random.nextGaussian();
        points[i * WIDTH + d] = value;
        norm += value * value;
      }
      for (int d = 0; d < WIDTH; d++) {
        points[i * WIDTH + d] *= (float) (4 / Math.sqrt(norm));
      }
    }
    return points;
  }
}
