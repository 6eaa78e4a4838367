package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.files.Damage;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Clusters, codes and the file of an inverted-file index. */
class IvfIndexTest {
  private static final int WIDTH = 16;
  private static final int NUM_KEYS = 1000;
  private static final byte[] ID = new byte[16];

  @TempDir private Path directory;
  private final Storage storage = LocalStorage.INSTANCE;
  private final float[] keys = IvfSearchTest.clustered(NUM_KEYS, 1);

  /** At a fixed point every point is nearest to its centroid and centroids are means. */
  @Test
  void meansOfNearestPoints() {
    float[] centroids = KMeans.train(keys, WIDTH, 12, 60, 5, 1);
    double[] sums = new double[12 * WIDTH];
    int[] sizes = new int[12];
    for (int i = 0; i < NUM_KEYS; i++) {
      int nearest = 0;
      double least = Double.POSITIVE_INFINITY;
      for (int l = 0; l < 12; l++) {
        double distance = distance(keys, i, centroids, l);
        if (distance < least) {
          least = distance;
          nearest = l;
        }
      }
      sizes[nearest]++;
      for (int d = 0; d < WIDTH; d++) {
        sums[nearest * WIDTH + d] += keys[i * WIDTH + d];
      }
    }
    for (int at = 0; at < sums.length; at++) {
      assertThat((double) centroids[at]).isCloseTo(sums[at] / sizes[at / WIDTH], within(1e-5));
    }
  }

  /** Nine in ten points are one point: clusters that start there are empty, and must move. */
  @Test
  void emptyClustersGetPoints() {
    float[] points = new float[400 * 2];
    Random random = new Random(4);
    for (int i = 0; i < 400; i++) {
      boolean apart = i % 10 == 0;
      points[2 * i] = apart ? 5 + (float) random.nextGaussian() : 1;
      points[2 * i + 1] = apart ? (float) random.nextGaussian() : 1;
    }
    float[] centroids = KMeans.train(points, 2, 10, 30, 6, 1);
    int[] sizes = new int[10];
    try (CentroidAssigner assigner = new CentroidAssigner(2, 1)) {
      for (int nearest : assigner.assign(points, centroids)) {
        sizes[nearest]++;
      }
    }
    // the heap of equal points can feed one cluster only; all others share the rest
    assertThat(Arrays.stream(sizes).filter(size -> size > 0).count()).isGreaterThanOrEqualTo(7);
  }

  @Test
  void choosesDifferentNumbers() {
    int[] chosen = KMeans.choose(50, 20, 1);
    assertThat(chosen).hasSize(20).doesNotHaveDuplicates().isSorted();
    assertThat(chosen).isNotEqualTo(KMeans.choose(50, 20, 2));
    assertThat(KMeans.choose(5, 5, 3)).containsExactly(0, 1, 2, 3, 4);
  }

  @ParameterizedTest
  @EnumSource(KeyEncoding.class)
  void everyItemOnceAndDecodedWithinItsBound(KeyEncoding encoding) {
    IvfIndex index = build(encoding);
    assertThat(Arrays.stream(index.items()).flatMapToInt(Arrays::stream).sorted().toArray())
        .isEqualTo(IntStream.range(0, NUM_KEYS).toArray());
    double total = 0;
    double variance = 0;
    for (int list = 0; list < index.numLists(); list++) {
      for (int i = 0; i < index.items()[list].length; i++) {
        int item = index.items()[list][i];
        float[] decoded = index.decode(list, i);
        for (int d = 0; d < WIDTH; d++) {
          double key = keys[item * WIDTH + d];
          double error = Math.abs(decoded[d] - key);
          double bound =
              switch (encoding) {
                case FLOAT32 -> 0;
                case FLOAT16 -> Math.abs(key) * 0x1p-11 + 0x1p-24;
                case INT8 -> index.code().scales()[d] / 2 + 1e-5;
                case PRODUCT -> Double.POSITIVE_INFINITY;
              };
          assertThat(error).isLessThanOrEqualTo(bound);
          total += error * error;
          variance += Math.pow(key - index.centroids()[list * WIDTH + d], 2);
        }
      }
    }
    // codewords take away most of what the centroids left
    assertThat(total).isLessThan(variance / 4);
  }

  /** Each sub-vector is coded by its nearest codeword, found by plain search. */
  @Test
  void productCodesAreTheNearestCodewords() {
    IvfIndex index = build(KeyEncoding.PRODUCT);
    KeyCode code = index.code();
    int sub = code.subWidth();
    for (int list = 0; list < index.numLists(); list++) {
      for (int i = 0; i < index.items()[list].length; i++) {
        for (int m = 0; m < code.numSubvectors(); m++) {
          double least = Double.POSITIVE_INFINITY;
          double chosen = 0;
          int word = index.codes()[list][i * code.numSubvectors() + m] & 255;
          for (int w = 0; w < 256; w++) {
            double distance = 0;
            for (int s = 0; s < sub; s++) {
              int d = m * sub + s;
              double residual =
                  keys[index.items()[list][i] * WIDTH + d] - index.centroids()[list * WIDTH + d];
              distance += Math.pow(residual - code.codewords()[(m * 256 + w) * sub + s], 2);
            }
            least = Math.min(least, distance);
            chosen = w == word ? distance : chosen;
          }
          assertThat(chosen).isCloseTo(least, within(1e-5));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KeyEncoding.class)
  void fileGivesBackTheIndexAndIsTheSameEachTime(KeyEncoding encoding) throws IOException {
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");
    IvfIndex index = build(encoding);
    IvfIndexFile.write(storage, first, index, ID);
    IvfIndexFile.write(storage, second, build(encoding), ID);
    assertThat(Files.readAllBytes(first)).isEqualTo(Files.readAllBytes(second));
    IvfIndex read = IvfIndexFile.read(storage, first);
    assertThat(IvfIndexFile.id(storage, first)).isEqualTo(ID);
    assertThat(read).usingRecursiveComparison().isEqualTo(index);
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void damageIsNoticed(Damage damage) throws IOException {
    Path file = directory.resolve("index");
    IvfIndexFile.write(storage, file, build(KeyEncoding.INT8), ID);
    damage.apply(file);
    if (damage == Damage.UNCHANGED) {
      assertThat(IvfIndexFile.read(storage, file).numKeys()).isEqualTo(NUM_KEYS);
    } else {
      assertThatThrownBy(() -> IvfIndexFile.read(storage, file))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(file.toString());
    }
  }

  /** Right checksums around wrong numbers; each is refused before anything is allocated for it. */
  @Test
  void hostileNumbersAreRefused() throws IOException {
    // metric, encoding, width, lists, keys, sub-vectors, then one centroid, one size, one item, one
    // key
    int one = Float.floatToIntBits(1);
    assertThat(IvfIndexFile.read(storage, payload(1, 0, 0, 1, 1, 1, 0, one, 1, 0, one)).numKeys())
        .isEqualTo(1);
    int[][] hostile = {
      {},
      {1, 0, 0},
      {1, 2, 0, 1, 1, 1, 0, one, 1, 0, one},
      {1, 0, 9, 1, 1, 1, 0, one, 1, 0, one},
      {1, 0, 0, 0, 1, 1, 0, one, 1, 0, one},
      {1, 0, 0, Integer.MAX_VALUE, 1, 1, 0, one, 1, 0, one},
      {1, 0, 0, 1, Integer.MAX_VALUE, 1, 0, one, 1, 0, one},
      {1, 0, 0, 1, -1, 1, 0, one, 1, 0, one},
      {1, 0, 0, 1, 1, Integer.MAX_VALUE, 0, one, 1, 0, one},
      {1, 0, 0, 1, 1, -1, 0, one, 1, 0, one},
      {1, 0, 0, 1, 1, 1, 5, one, 1, 0, one},
      {1, 0, 3, 1, 1, 1, 0, one, 1, 0, one},
      {1, 0, 0, 1, 1, 1, 0, Float.floatToIntBits(Float.NaN), 1, 0, one},
      {1, 0, 0, 1, 1, 1, 0, one, 2, 0, one},
      {1, 0, 0, 1, 1, 1, 0, one, 0, 0, one},
      {1, 0, 0, 1, 1, 1, 0, one, 1, -4, one},
    };
    for (int[] numbers : hostile) {
      Path file = payload(numbers);
      assertThatThrownBy(() -> IvfIndexFile.read(storage, file))
          .as(Arrays.toString(numbers))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("build the index again");
    }
    assertThatThrownBy(
            () -> IvfIndexFile.read(storage, payload(2, 0, 0, 1, 1, 1, 0, one, 1, 0, one)))
        .isInstanceOf(FormatTooNewException.class);
    assertThatThrownBy(() -> IvfIndexFile.read(storage, directory.resolve("absent")))
        .isInstanceOf(CorruptFileException.class);
  }

  private int numFiles;

  private Path payload(int... versionAndNumbers) throws IOException {
    Path file = directory.resolve("payload-" + numFiles++);
    int version = versionAndNumbers.length == 0 ? 1 : versionAndNumbers[0];
    try (FramedFileWriter out =
        new FramedFileWriter(storage, file, IvfIndexFile.KIND, version, ID)) {
      for (int i = 1; i < versionAndNumbers.length; i++) {
        out.writeInt(versionAndNumbers[i]);
      }
      out.finish();
    }
    return file;
  }

  private IvfIndex build(KeyEncoding encoding) {
    return IvfIndex.build(keys, WIDTH, Metric.SQUARED_L2, IvfSearchTest.settings(8, encoding), 1);
  }

  private static double distance(float[] a, int i, float[] b, int j) {
    double distance = 0;
    for (int d = 0; d < WIDTH; d++) {
      distance += Math.pow((double) a[i * WIDTH + d] - b[j * WIDTH + d], 2);
    }
    return distance;
  }
}
