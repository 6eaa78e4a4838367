package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExampleBatchesTest {
  private static final int MAX_LENGTH = 60;

  @Test
  void everyRowComesOnceAndTheLastBatchWrapsRound() {
    TokenRows rows = RowSamples.random(new Random(1), 103, MAX_LENGTH);
    ExampleBatches batches = new ExampleBatches(rows, 8, BatchLength.LONGEST, 5);
    assertThat(batches.batchesPerEpoch()).isEqualTo(13);
    for (int epoch = 0; epoch < 4; epoch++) {
      Map<Integer, Integer> seen = new HashMap<>();
      for (int step = 0; step < 13; step++) {
        ExampleBatch batch = batches.at(epoch * 13L + step);
        assertThat(batch.numRows()).isEqualTo(8);
        assertThat(batch.rows()).hasSize(8);
        Arrays.stream(batch.rows()).forEach(row -> seen.merge(row, 1, Integer::sum));
      }
      assertThat(seen).hasSize(103);
      assertThat(seen.values().stream().filter(count -> count == 2).count()).isEqualTo(1);
    }
  }

  @Test
  void fewerRowsThanABatch() {
    TokenRows rows = RowSamples.ofLengths(9, 2, 9, 4);
    ExampleBatches batches = new ExampleBatches(rows, 8, BatchLength.LONGEST, 5);
    assertThat(batches.batchesPerEpoch()).isEqualTo(1);
    Map<Integer, Integer> seen = new HashMap<>();
    Arrays.stream(batches.at(7).rows()).forEach(row -> seen.merge(row, 1, Integer::sum));
    assertThat(seen.values()).containsExactlyInAnyOrder(3, 3, 2);
  }

  @Test
  void aBatchIsAFunctionOfSeedAndStep() {
    TokenRows rows = RowSamples.random(new Random(2), 200, MAX_LENGTH);
    ExampleBatches first = new ExampleBatches(rows, 4, BatchLength.LONGEST, 5);
    ExampleBatches resumed = new ExampleBatches(rows, 4, BatchLength.LONGEST, 5);
    for (long step = 149; step >= 0; step--) {
      assertThat(resumed.at(step)).usingRecursiveComparison().isEqualTo(first.at(step));
    }
    ExampleBatches other = new ExampleBatches(rows, 4, BatchLength.LONGEST, 6);
    Set<String> orders = new HashSet<>();
    for (long epoch = 0; epoch < 10; epoch++) {
      orders.add(rowsOfEpoch(first, epoch));
      orders.add(rowsOfEpoch(other, epoch));
    }
    assertThat(orders).hasSize(20);
  }

  @Test
  void rowsOfABatchHaveSimilarLengthsAndBatchesComeInNoOrder() {
    TokenRows rows = RowSamples.random(new Random(3), 50 * 16 * 2, MAX_LENGTH);
    ExampleBatches batches = new ExampleBatches(rows, 16, BatchLength.LONGEST, 5);
    long numPadding = 0;
    long numTokens = 0;
    int falls = 0;
    for (int step = 0; step < 100; step++) {
      ExampleBatch batch = batches.at(step);
      numTokens += batch.mask().length;
      numPadding += Arrays.stream(batch.mask()).filter(m -> m == 0).count();
      falls += step > 0 && batch.length() < batches.at(step - 1).length() ? 1 : 0;
    }
    // random batches would be half padding
    assertThat((double) numPadding / numTokens).isLessThan(0.15);
    assertThat(falls).isBetween(25, 60);
  }

  @Test
  void rowsAreLaidOutWithMaskTypesAndTargets() {
    TokenRows rows = RowSamples.ofLengths(20, 3, 5);
    ExampleBatch batch = new ExampleBatches(rows, 2, BatchLength.LONGEST, 1).at(0);
    assertThat(batch.length()).isEqualTo(8);
    assertThat(batch.batchSize()).isEqualTo(2);
    // the longer one first
    assertThat(batch.rows()).containsExactly(1, 0);
    assertThat(batch.ids()).containsExactly(2, 2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0);
    assertThat(batch.mask()).containsExactly(1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0);
    assertThat(batch.tokenTypes()).containsExactly(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0);
    assertThat(batch.targets().classes()).containsExactly(1, 0);
    assertThat(batch.targets().numbers()).isEmpty();
    assertThat(batch.targets().starts()).isEmpty();
  }

  @Test
  void targetsOfEveryKindFollowTheirRows() {
    TokenRows rows = RowSamples.ofLengths(20, 3, 5, 4);
    int[] order = new ExampleBatches(rows, 3, BatchLength.LONGEST, 1).at(0).rows();
    assertThat(order).containsExactly(1, 2, 0);
    assertThat(RowTargets.ofNumbers(new float[] {10, 11, 12}).of(order).numbers())
        .containsExactly(11, 12, 10);
    RowTargets spans = RowTargets.ofSpans(new int[] {1, 2, 3}, new int[] {4, 5, 6}).of(order);
    assertThat(spans.starts()).containsExactly(2, 3, 1);
    assertThat(spans.ends()).containsExactly(5, 6, 4);
    assertThat(RowTargets.NONE.of(order)).usingRecursiveComparison().isEqualTo(RowTargets.NONE);
  }

  @Test
  void lengthsOfBatches() {
    TokenRows rows = RowSamples.ofLengths(21, 3, 17, 21, 8);
    assertThat(BatchLength.LONGEST.of(rows, new int[] {0, 3})).isEqualTo(8);
    assertThat(BatchLength.LONGEST.of(rows, new int[] {0, 1})).isEqualTo(21);
    assertThat(new BatchLength(0, 1).of(rows, new int[] {0, 1})).isEqualTo(17);
    assertThat(BatchLength.fixed(30).of(rows, new int[] {0, 2})).isEqualTo(30);
    assertThatThrownBy(() -> BatchLength.fixed(20).of(rows, new int[] {2}))
        .hasMessageContaining("a row has 21 tokens, the fixed length is 20");
    ExampleBatch batch = new ExampleBatches(rows, 2, BatchLength.fixed(24), 1).at(1);
    assertThat(batch.ids()).hasSize(48);
  }

  @Test
  void evaluationSeesEveryRowExactlyOnce() {
    TokenRows rows = RowSamples.random(new Random(4), 101, MAX_LENGTH);
    EvaluationBatches batches = new EvaluationBatches(rows, 16, BatchLength.LONGEST);
    assertThat(batches.numBatches()).isEqualTo(7);
    int[] times = new int[101];
    int before = Integer.MAX_VALUE;
    for (int i = 0; i < 7; i++) {
      ExampleBatch batch = batches.at(i);
      assertThat(batch.rows()).hasSize(16);
      assertThat(batch.numRows()).isEqualTo(i < 6 ? 16 : 5);
      assertThat(batch.length()).isLessThanOrEqualTo(before);
      before = batch.length();
      for (int r = 0; r < batch.numRows(); r++) {
        times[batch.rows()[r]]++;
        assertThat(batch.ids()[r * batch.length()]).isEqualTo(batch.rows()[r] + 1);
        assertThat(batch.targets().classes()[r]).isEqualTo(batch.rows()[r] % 3);
      }
    }
    assertThat(IntStream.of(times)).containsOnly(1);
    assertThatThrownBy(() -> batches.at(7)).isInstanceOf(IndexOutOfBoundsException.class);
    EvaluationBatches small =
        new EvaluationBatches(RowSamples.ofLengths(9, 2, 9), 8, BatchLength.LONGEST);
    assertThat(small.numBatches()).isEqualTo(1);
    assertThat(small.at(0).rows()).containsExactly(1, 0, 0, 0, 0, 0, 0, 0);
    assertThat(small.at(0).numRows()).isEqualTo(2);
  }

  @Test
  void rowsThatCannotBe() {
    int[][] ids = {{1, 2}};
    assertThatThrownBy(() -> new TokenRows(ids, new int[][] {{0}}, RowTargets.NONE, 0, 9))
        .hasMessageContaining("row 0 has 2 ids and 1 token types");
    assertThatThrownBy(() -> new TokenRows(ids, ids, RowTargets.NONE, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TokenRows(ids, ids, RowTargets.ofClasses(new int[2]), 0, 9))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static String rowsOfEpoch(ExampleBatches batches, long epoch) {
    StringBuilder all = new StringBuilder();
    for (long i = 0; i < batches.batchesPerEpoch(); i++) {
      all.append(Arrays.toString(batches.at(epoch * batches.batchesPerEpoch() + i).rows()));
    }
    return all.toString();
  }
}
