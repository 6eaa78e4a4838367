package org.lathe.graphs.objectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.ops.Masks;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;
import org.lathe.testdata.TestSession;
import org.tensorflow.types.TFloat64;

/** What must hold whatever the numbers are: causality, order, empty memory, duplicates. */
class MemoryObjectiveRulesTest {
  private static final int B = 3;
  private static final int T = 4;
  private static final int N = B * T;
  private static final int D = 3;
  private static final int V = 6;

  private static double[] perPosition(
      MemoryConfig config, double[] logits, double[] tap, int[] targets) {
    return perPosition(config, B, T, logits, tap, targets, true);
  }

  private static double[] perPosition(
      MemoryConfig config,
      int batchSize,
      int length,
      double[] logits,
      double[] tap,
      int[] targets,
      boolean localVisible) {
    int n = batchSize * length;
    try (MemoryBench bench =
        new MemoryBench(config, batchSize, length, tap.length / n, logits.length / n)) {
      return bench
          .session()
          .evaluate(bench.perPosition(), bench.feeds(logits, tap, targets, true, localVisible));
    }
  }

  private static MemoryConfig config(MemoryObjective objective) {
    return new MemoryConfig(objective, 0.7, 0, 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"LOCAL", "CONSECUTIVE", "EXTERNAL"})
  void hiddenMemoryIsCrossEntropyToTheLastBit(MemoryObjective objective) {
    Random random = new Random(4);
    try (MemoryBench bench = new MemoryBench(config(objective), B, T, D, V)) {
      var feeds =
          bench.feeds(
              RandomArrays.normal(random, N * V, 2),
              RandomArrays.normal(random, N * D, 2),
              RandomArrays.ints(random, N, V),
              false,
              true);
      double[] crossEntropy = bench.session().evaluate(bench.crossEntropy(), feeds);
      assertThatTensor(bench.session().evaluate(bench.perPosition(), feeds))
          .hasSameBitsAs(crossEntropy);
      // and nothing reaches the tap
      assertThatTensor(bench.gradients(bench.meanLoss(), feeds).get(1))
          .hasSameBitsAs(new double[N * D]);
    }
  }

  @Test
  void externalWithDroppedLocalMemoryAndOneSegmentIsCrossEntropy() {
    Random random = new Random(5);
    try (MemoryBench bench = new MemoryBench(config(MemoryObjective.EXTERNAL), 1, 5, D, V)) {
      var feeds =
          bench.feeds(
              RandomArrays.normal(random, 5 * V, 2),
              RandomArrays.normal(random, 5 * D, 2),
              RandomArrays.ints(random, 5, V),
              true,
              false);
      assertThatTensor(bench.session().evaluate(bench.perPosition(), feeds))
          .isCloseTo(bench.session().evaluate(bench.crossEntropy(), feeds), 1e-12);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LOCAL", "CONSECUTIVE"})
  void laterItemsNeverChangeEarlierLosses(MemoryObjective objective) {
    SeededCases.run(
        20,
        random -> {
          double[] logits = RandomArrays.normal(random, N * V, 2);
          double[] tap = RandomArrays.normal(random, N * D, 1);
          int[] targets = RandomArrays.ints(random, N, V);
          int changed = 1 + random.nextInt(N - 1);
          double[] otherTap = tap.clone();
          int[] otherTargets = targets.clone();
          for (int i = changed * D; i < N * D; i++) {
            otherTap[i] += random.nextGaussian();
          }
          for (int i = changed; i < N; i++) {
            otherTargets[i] = random.nextInt(V);
          }
          double[] before = perPosition(config(objective), logits, tap, targets);
          double[] after = perPosition(config(objective), logits, otherTap, otherTargets);
          assertThatTensor(Arrays.copyOf(after, changed))
              .hasSameBitsAs(Arrays.copyOf(before, changed));
        });
  }

  /** The item of a position carries its answer: with j = t the loss would see it. */
  @ParameterizedTest
  @EnumSource(names = {"LOCAL", "CONSECUTIVE", "EXTERNAL"})
  void positionNeverSeesItsOwnItem(MemoryObjective objective) {
    double[] logits = new double[V];
    double[] tap = {9, 9, 9};
    double[] loss = perPosition(config(objective), 1, 1, logits, tap, new int[] {2}, true);
    assertThat(loss[0]).isCloseTo(Math.log(V), within(1e-12));
  }

  /** Targets of "a b a b a" are b a b a: the 2nd "a" (position 2, target b) has one positive. */
  @ParameterizedTest
  @EnumSource(names = {"LOCAL", "CONSECUTIVE", "EXTERNAL"})
  void secondTokenOfRepeatedStreamSeesOnePositive(MemoryObjective objective) {
    int a = 0;
    int b = 1;
    // all scores are 0, so every visible item has the mass of one word
    double[] loss =
        perPosition(
            config(objective),
            1,
            4,
            new double[4 * V],
            new double[4 * D],
            new int[] {b, a, b, a},
            true);
    assertThat(loss[0]).isCloseTo(-Math.log(1.0 / V), within(1e-12));
    assertThat(loss[1]).isCloseTo(-Math.log(1.0 / (V + 1)), within(1e-12));
    assertThat(loss[2]).isCloseTo(-Math.log(2.0 / (V + 2)), within(1e-12));
    assertThat(loss[3]).isCloseTo(-Math.log(2.0 / (V + 3)), within(1e-12));
  }

  @Test
  void groupsOfConsecutiveSegmentsDoNotSeeEachOther() {
    // four segments of two, groups of two: position 4 starts a group and sees nothing
    MemoryConfig grouped = new MemoryConfig(MemoryObjective.CONSECUTIVE, 1, 0, 2);
    double[] loss =
        perPosition(grouped, 4, 2, new double[8 * V], new double[8 * D], new int[8], true);
    for (int t = 0; t < 8; t++) {
      int numVisible = t % 4;
      assertThat(loss[t])
          .isCloseTo(-Math.log((1.0 + numVisible) / (V + numVisible)), within(1e-12));
    }
  }

  @Test
  void externalSeesEveryItemOfOtherSegments() {
    for (boolean localVisible : new boolean[] {true, false}) {
      double[] loss =
          perPosition(
              config(MemoryObjective.EXTERNAL),
              B,
              T,
              new double[N * V],
              new double[N * D],
              new int[N],
              localVisible);
      for (int t = 0; t < N; t++) {
        int numVisible = N - T + (localVisible ? t % T : 0);
        assertThat(loss[t])
            .isCloseTo(-Math.log((1.0 + numVisible) / (V + numVisible)), within(1e-12));
      }
    }
  }

  @Test
  void orderOfExternalSegmentsDoesNotMatter() {
    SeededCases.run(
        10,
        random -> {
          double[] logits = RandomArrays.normal(random, N * V, 2);
          double[] tap = RandomArrays.normal(random, N * D, 1);
          int[] targets = RandomArrays.ints(random, N, V);
          double[] before = perPosition(config(MemoryObjective.EXTERNAL), logits, tap, targets);
          // segments 1 and 2 change places
          double[] swappedLogits = swapSegments(logits, T * V);
          double[] swappedTap = swapSegments(tap, T * D);
          double[] swappedTargets =
              swapSegments(Arrays.stream(targets).asDoubleStream().toArray(), T);
          double[] after =
              perPosition(
                  config(MemoryObjective.EXTERNAL),
                  swappedLogits,
                  swappedTap,
                  Arrays.stream(swappedTargets).mapToInt(v -> (int) v).toArray());
          assertThatTensor(swapSegments(after, T)).isCloseTo(before, 1e-12);
        });
  }

  private static double[] swapSegments(double[] values, int size) {
    double[] swapped = values.clone();
    System.arraycopy(values, size, swapped, 2 * size, size);
    System.arraycopy(values, 2 * size, swapped, size, size);
    return swapped;
  }

  /** exp(s + ln 2) = 2 exp(s): two equal items weigh what one item with a raised score does. */
  @Test
  void twoEqualItemsAreOneItemWithTwiceTheMass() {
    SeededCases.run(
        20,
        random -> {
          double scale = 0.7;
          MemoryConfig config = new MemoryConfig(MemoryObjective.LOCAL, scale, 0, 0);
          double[] query = RandomArrays.awayFromZero(random, D, 0.5, 1.5);
          double[] item = RandomArrays.normal(random, D, 1);
          double[] logits = RandomArrays.normal(random, 3 * V, 1);
          int value = random.nextInt(V);
          int target = random.nextBoolean() ? value : random.nextInt(V);
          double[] twice =
              perPosition(
                  config,
                  1,
                  3,
                  logits,
                  concat(item, item, query),
                  new int[] {value, value, target},
                  true);
          // raise q . k by ln 2 / scale
          double[] raised = item.clone();
          raised[0] += Math.log(2) / scale / query[0];
          double[] once =
              perPosition(
                  config,
                  1,
                  2,
                  Arrays.copyOfRange(logits, V, 3 * V),
                  concat(raised, query),
                  new int[] {value, target},
                  true);
          assertThat(twice[2]).isCloseTo(once[1], within(1e-12));
        });
  }

  private static double[] concat(double[]... parts) {
    return Arrays.stream(parts).flatMapToDouble(Arrays::stream).toArray();
  }

  /** Deleting the first segment changes nothing for groups that could not see it. */
  @Test
  void deletedItemsEqualHiddenItems() {
    SeededCases.run(
        10,
        random -> {
          double[] logits = RandomArrays.normal(random, N * V, 2);
          double[] tap = RandomArrays.normal(random, N * D, 1);
          int[] targets = RandomArrays.ints(random, N, V);
          for (MemoryConfig config :
              List.of(
                  config(MemoryObjective.LOCAL),
                  new MemoryConfig(MemoryObjective.CONSECUTIVE, 0.7, 0, 1))) {
            double[] all = perPosition(config, logits, tap, targets);
            double[] without =
                perPosition(
                    config,
                    B - 1,
                    T,
                    Arrays.copyOfRange(logits, T * V, N * V),
                    Arrays.copyOfRange(tap, T * D, N * D),
                    Arrays.copyOfRange(targets, T, N),
                    true);
            assertThatTensor(Arrays.copyOfRange(all, T, N)).isCloseTo(without, 1e-12);
          }
        });
  }

  /** One item that matters, then gone: the loss goes back to cross-entropy by that item's mass. */
  @Test
  void deletingTheOnlyPositiveRemovesItsMass() {
    double[] logits = new double[2 * V];
    double[] tap = {1, 0, 0, 1, 0, 0};
    MemoryConfig config = new MemoryConfig(MemoryObjective.LOCAL, 1, 0, 0);
    double with = perPosition(config, 1, 2, logits, tap, new int[] {4, 4}, true)[1];
    double without = perPosition(config, 2, 1, logits, tap, new int[] {4, 4}, true)[1];
    assertThat(with).isCloseTo(-Math.log((1 + Math.E) / (V + Math.E)), within(1e-12));
    assertThat(without).isCloseTo(Math.log(V), within(1e-12));
  }

  @Test
  void localObjectiveDoesNotLookAcrossSegments() {
    double[] loss =
        perPosition(
            config(MemoryObjective.LOCAL),
            B,
            T,
            new double[N * V],
            new double[N * D],
            new int[N],
            true);
    for (int t = 0; t < N; t++) {
      assertThat(loss[t]).isCloseTo(-Math.log((1.0 + t % T) / (V + t % T)), within(1e-12));
    }
  }

  @Test
  void noObjectiveHasNoVisibleItems() {
    try (TestSession session = new TestSession()) {
      var tf = session.tf();
      var index = Masks.range(tf, tf.constant(3));
      assertThatThrownBy(
              () ->
                  MemoryVisibility.<TFloat64>additive(
                      tf, config(MemoryObjective.NONE), index, index, 3, tf.constant(0.0)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("without memory");
    }
  }
}
