package org.lathe.training.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.data.TokenFileWriter;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.similarity.SegmentOrder;

class SimilarBatchesTest {
  private static final int T = 6;
  private static final int SEGMENTS = 22;
  private static final int SIZE = SEGMENTS * T + 1;

  @TempDir Path directory;
  private TokenFile tokens;
  private final SegmentOrder order =
      new SegmentOrder(SegmentOrder.shuffled(SEGMENTS, new Random(5)), 0);

  /** Token i has id i. */
  @BeforeEach
  void write() throws Exception {
    Path path = directory.resolve("tokens");
    try (TokenFileWriter writer =
        new TokenFileWriter(LocalStorage.INSTANCE, path, SIZE, "ab".repeat(32))) {
      writer.add("all", IntStream.range(0, SIZE).toArray());
      writer.finish();
    }
    tokens = TokenFile.open(LocalStorage.INSTANCE, path);
  }

  @AfterEach
  void close() {
    tokens.close();
  }

  @Test
  void anEpochHasEverySegmentOnceAndNeighboursOfTheOrderTogether() {
    for (int batchSize : new int[] {1, 2, 11, 22}) {
      SimilarBatches batches = new SimilarBatches(tokens, order, batchSize, T, batchSize, 9);
      assertThat(batches.batchesPerEpoch()).isEqualTo(SEGMENTS / batchSize);
      for (int epoch = 0; epoch < 4; epoch++) {
        Set<Integer> seen = new HashSet<>();
        for (int[] row : rows(batches, epoch)) {
          for (int segment : row) {
            assertThat(seen.add(segment)).isTrue();
          }
          assertThat(row).isEqualTo(neighbours(row[0], batchSize));
        }
        assertThat(seen).hasSize(SEGMENTS);
      }
    }
  }

  @Test
  void aRemainderSitsOutAtChangingEnds() {
    SimilarBatches batches = new SimilarBatches(tokens, order, 4, T, 4, 9);
    Set<Integer> everSeen = new HashSet<>();
    for (int epoch = 0; epoch < 20; epoch++) {
      Set<Integer> seen = new HashSet<>();
      for (int[] row : rows(batches, epoch)) {
        assertThat(row).isEqualTo(neighbours(row[0], 4));
        for (int segment : row) {
          assertThat(seen.add(segment)).isTrue();
        }
      }
      assertThat(seen).hasSize(20);
      everSeen.addAll(seen);
    }
    assertThat(everSeen).hasSize(SEGMENTS);
  }

  @Test
  void aBatchHoldsSeveralGroupsFromAnywhere() {
    SimilarBatches batches = new SimilarBatches(tokens, order, 6, T, 2, 9);
    assertThat(batches.batchesPerEpoch()).isEqualTo(3);
    Set<Integer> everSeen = new HashSet<>();
    boolean apart = false;
    for (int epoch = 0; epoch < 20; epoch++) {
      Set<Integer> seen = new HashSet<>();
      for (int[] row : rows(batches, epoch)) {
        for (int group = 0; group < 3; group++) {
          int[] pair = {row[2 * group], row[2 * group + 1]};
          assertThat(pair).isEqualTo(neighbours(pair[0], 2));
          assertThat(seen.add(pair[0]) && seen.add(pair[1])).isTrue();
        }
        apart |= !Arrays.equals(row, neighbours(row[0], 6));
      }
      everSeen.addAll(seen);
    }
    assertThat(everSeen).hasSize(SEGMENTS);
    assertThat(apart).isTrue();
    assertThatThrownBy(() -> new SimilarBatches(tokens, order, 6, T, 4, 9))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must divide");
  }

  @Test
  void batchesDependOnStepAndSeedOnly() {
    SimilarBatches batches = new SimilarBatches(tokens, order, 2, T, 2, 9);
    SimilarBatches same = new SimilarBatches(tokens, order, 2, T, 2, 9);
    SimilarBatches other = new SimilarBatches(tokens, order, 2, T, 2, 10);
    // asked from the end, so that nothing can hang on the order of asking
    for (long step = 39; step >= 0; step--) {
      assertThat(same.at(step).inputs()).isEqualTo(batches.at(step).inputs());
    }
    assertThat(flat(rows(batches, 0))).isNotEqualTo(flat(rows(other, 0)));
    assertThat(flat(rows(batches, 0))).isNotEqualTo(flat(rows(batches, 1)));
  }

  @Test
  void anOrderOfAnotherTextAndATextTooShortAreRefused() {
    SegmentOrder shorter = new SegmentOrder(SegmentOrder.shuffled(21, new Random(5)), 0);
    assertThatThrownBy(() -> new SimilarBatches(tokens, shorter, 2, T, 2, 9))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("21 segments");
    assertThatThrownBy(() -> new SimilarBatches(tokens, order, 23, T, 23, 9))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("22 segments of 6 tokens");
  }

  /** Segments of each batch of an epoch; checks that rows are whole segments. */
  private static List<int[]> rows(SimilarBatches batches, int epoch) {
    List<int[]> rows = new ArrayList<>();
    for (long i = 0; i < batches.batchesPerEpoch(); i++) {
      Batch batch = batches.at(epoch * batches.batchesPerEpoch() + i);
      int[] row = new int[batch.batchSize()];
      for (int j = 0; j < batch.inputs().length; j++) {
        row[j / T] = batch.inputs()[j] / T;
        assertThat(batch.inputs()[j]).isEqualTo(row[j / T] * T + j % T);
        assertThat(batch.targets()[j]).isEqualTo(batch.inputs()[j] + 1);
      }
      rows.add(row);
    }
    return rows;
  }

  private static int[] flat(List<int[]> rows) {
    return rows.stream().flatMapToInt(IntStream::of).toArray();
  }

  private int[] neighbours(int first, int length) {
    int start = 0;
    while (order.segments()[start] != first) {
      start++;
    }
    return Arrays.copyOfRange(order.segments(), start, start + length);
  }
}
