package org.lathe.training.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.data.TokenFile;
import org.lathe.training.data.TokenFileWriter;
import org.lathe.training.files.LocalStorage;

class BatchesTest {
  private static final int SIZE = 1000;
  private static final int B = 4;
  private static final int T = 7;

  @TempDir Path directory;
  private TokenFile tokens;

  /** Token i has id i, so that a token tells its position. */
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
  void everyEpochVisitsPositionsOnceAndLeavesOutLessThanTwoGroupsAndABatch() {
    for (Batches batches : all(9)) {
      for (long epoch = 0; epoch < 20; epoch++) {
        Set<Integer> seen = new HashSet<>();
        for (long i = 0; i < batches.batchesPerEpoch(); i++) {
          Batch batch = batches.at(epoch * batches.batchesPerEpoch() + i);
          assertThat(batch.inputs()).hasSize(B * T);
          for (int j = 0; j < B * T; j++) {
            assertThat(seen.add(batch.inputs()[j])).isTrue();
            assertThat(batch.targets()[j]).isEqualTo(batch.inputs()[j] + 1);
          }
        }
        assertThat(seen).hasSizeGreaterThan(SIZE - 3 * B * T);
      }
    }
  }

  @Test
  void overManyEpochsEveryPositionIsVisited() {
    for (Batches batches : all(2)) {
      Set<Integer> seen = new HashSet<>();
      for (long i = 0; i < 60 * batches.batchesPerEpoch(); i++) {
        for (int input : batches.at(i).inputs()) {
          seen.add(input);
        }
      }
      // the first and the last tokens need the rare outermost starts
      assertThat(seen).containsAll(IntStream.range(B * T, SIZE - 2 * B * T).boxed().toList());
    }
  }

  @Test
  void rowsOfAGroupFollowEachOther() {
    for (int perGroup : new int[] {2, 4}) {
      Batches batches = new ConsecutiveBatches(tokens, B, T, perGroup, 3);
      for (long step = 0; step < 20; step++) {
        int[] inputs = batches.at(step).inputs();
        for (int row = 1; row < B; row++) {
          if (row % perGroup != 0) {
            assertThat(inputs[row * T]).isEqualTo(inputs[row * T - 1] + 1);
          }
        }
      }
    }
  }

  @Test
  void rowsOfAStreamContinueTheBatchBeforeWithinAnEpoch() {
    Batches batches = new StreamBatches(tokens, B, T, 3);
    Set<Integer> starts = new HashSet<>();
    for (long step = 0; step < 10 * batches.batchesPerEpoch(); step++) {
      Batch batch = batches.at(step);
      assertThat(batch.continues()).isEqualTo(step % batches.batchesPerEpoch() > 0);
      if (!batch.continues()) {
        starts.add(batch.inputs()[0]);
        continue;
      }
      int[] before = batches.at(step - 1).inputs();
      for (int row = 0; row < B; row++) {
        assertThat(batch.inputs()[row * T]).isEqualTo(before[row * T + T - 1] + 1);
      }
    }
    assertThat(starts).hasSizeGreaterThan(3).allMatch(start -> start < T);
    assertThat(new RandomBatches(tokens, B, T, 3).at(1).continues()).isFalse();
  }

  @Test
  void theStepDeterminesTheBatchInAnyOrderOfCalls() {
    Batches[] first = all(5);
    Batches[] second = all(5);
    for (int i = 0; i < first.length; i++) {
      long[] steps = {70, 0, 3, 200, 3, 71, 0};
      for (long step : steps) {
        Batch again = second[i].at(step);
        second[i].at(step + second[i].batchesPerEpoch());
        assertThat(first[i].at(step).inputs()).isEqualTo(again.inputs());
      }
    }
  }

  @Test
  void epochsAndSeedsDiffer() {
    for (Function<Long, Batches> make :
        Set.<Function<Long, Batches>>of(
            seed -> new RandomBatches(tokens, B, T, seed),
            seed -> new ConsecutiveBatches(tokens, B, T, seed))) {
      Batches batches = make.apply(1L);
      Set<String> orders = new HashSet<>();
      for (long epoch = 0; epoch < 10; epoch++) {
        orders.add(epochOrder(batches, epoch));
      }
      assertThat(orders).hasSize(10).doesNotContain(epochOrder(make.apply(2L), 0));
    }
  }

  @Test
  void tooLargeABatchIsExplained() {
    assertThat(new RandomBatches(tokens, 124, 8, 1).batchesPerEpoch()).isEqualTo(1);
    assertThatThrownBy(() -> new RandomBatches(tokens, 125, 8, 1))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("1000 tokens")
        .hasMessageContaining("125 segments of 8")
        .hasMessageContaining("1008");
    assertThat(new StreamBatches(tokens, 124, 8, 1).batchesPerEpoch()).isEqualTo(1);
    assertThatThrownBy(() -> new StreamBatches(tokens, 125, 8, 1))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("125 streams")
        .hasMessageContaining("1008");
    assertThat(new ConsecutiveBatches(tokens, 5, 100, 1).batchesPerEpoch()).isEqualTo(1);
    assertThatThrownBy(() -> new ConsecutiveBatches(tokens, 6, 100, 1))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> new ConsecutiveBatches(tokens, 6, 10, 4, 1))
        .hasMessageContaining("must divide");
  }

  private Batches[] all(long seed) {
    return new Batches[] {
      new RandomBatches(tokens, B, T, seed),
      new ConsecutiveBatches(tokens, B, T, seed),
      new ConsecutiveBatches(tokens, B, T, 2, seed),
      new StreamBatches(tokens, B, T, seed)
    };
  }

  private static String epochOrder(Batches batches, long epoch) {
    StringBuilder order = new StringBuilder();
    for (long i = 0; i < batches.batchesPerEpoch(); i++) {
      Batch batch = batches.at(epoch * batches.batchesPerEpoch() + i);
      order.append(batch.inputs()[0]).append(' ');
    }
    return order.toString();
  }
}
