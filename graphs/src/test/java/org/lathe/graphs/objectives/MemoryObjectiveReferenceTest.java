package org.lathe.graphs.objectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.reference.ReferenceMemory;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TFloat64;

/** The graph against loops over equations (1), (2) and (4), in float64. */
class MemoryObjectiveReferenceTest {
  private static final MemoryObjective[] KINDS = {
    MemoryObjective.LOCAL, MemoryObjective.CONSECUTIVE, MemoryObjective.EXTERNAL
  };

  /** Shapes, rule and values of one random batch. */
  record Case(
      MemoryConfig config,
      boolean localVisible,
      int batchSize,
      int segmentLength,
      int width,
      int vocabulary,
      double[] logits,
      double[] tap,
      int[] targets) {

    static Case random(Random random) {
      MemoryObjective kind = KINDS[random.nextInt(KINDS.length)];
      int batchSize = 1 + random.nextInt(4);
      int length = 1 + random.nextInt(6);
      int width = 1 + random.nextInt(5);
      int vocabulary = 2 + random.nextInt(6);
      int numPositions = batchSize * length;
      boolean usesGroups = kind != MemoryObjective.LOCAL;
      MemoryConfig config =
          new MemoryConfig(kind, 0.2 + random.nextDouble(), 0, usesGroups ? random.nextInt(4) : 0);
      int[] targets =
          switch (random.nextInt(4)) {
            // every visible item is a positive
            case 0 -> new int[numPositions];
            // no item is a positive
            case 1 -> distinct(numPositions);
            default -> RandomArrays.ints(random, numPositions, vocabulary);
          };
      int neededVocabulary = Math.max(vocabulary, numPositions);
      double[] tap = RandomArrays.normal(random, numPositions * width, 2);
      if (numPositions > 2 && random.nextBoolean()) {
        // a duplicate: the same key, and often the same value
        System.arraycopy(tap, 0, tap, (numPositions - 2) * width, width);
      }
      return new Case(
          config,
          random.nextBoolean(),
          batchSize,
          length,
          width,
          neededVocabulary,
          RandomArrays.normal(random, numPositions * neededVocabulary, 3),
          tap,
          targets);
    }

    private static int[] distinct(int size) {
      int[] values = new int[size];
      for (int i = 0; i < size; i++) {
        values[i] = i;
      }
      return values;
    }

    ReferenceMemory.Result reference() {
      return ReferenceMemory.compute(config, localVisible, segmentLength, logits, tap, targets);
    }

    MemoryBench bench() {
      return new MemoryBench(config, batchSize, segmentLength, width, vocabulary);
    }
  }

  /** Loss of equation (2), of each position and in the mean, and gradients of equation (4). */
  @Test
  void lossAndGradientsEqualTheEquations() {
    SeededCases.run(
        200,
        random -> {
          Case c = Case.random(random);
          ReferenceMemory.Result expected = c.reference();
          try (MemoryBench bench = c.bench()) {
            var feeds = bench.feeds(c.logits, c.tap, c.targets, true, c.localVisible);
            Operand<TFloat64> loss = bench.meanLoss();
            Output<?>[] gradients = bench.gradientOutputs(loss);
            List<double[]> found =
                bench
                    .session()
                    .evaluateAll(
                        List.of(loss, bench.perPosition(), gradients[0], gradients[1]), feeds);
            assertThatTensor(found.get(0)).isCloseTo(new double[] {expected.meanLoss()}, 1e-9);
            assertThatTensor(found.get(1)).isCloseTo(expected.perPosition(), 1e-9);
            assertThatTensor(found.get(2)).isCloseTo(expected.dLogits(), 1e-9);
            assertThatTensor(found.get(3)).isCloseTo(expected.dTap(), 1e-9);
          }
        });
  }

  @Test
  void gradientsEqualFiniteDifferences() {
    SeededCases.run(
        6,
        random -> {
          Case c = Case.random(random);
          int numPositions = c.targets.length;
          try (MemoryBench bench = c.bench()) {
            GradientCheck.of(bench.session(), bench.meanLoss())
                .fixed(bench.feeds(c.logits, c.tap, c.targets, true, c.localVisible))
                .input(bench.logits(), Shape.of(numPositions, c.vocabulary), c.logits)
                .input(bench.tap(), Shape.of(numPositions, c.width), c.tap)
                .coordinates(6)
                .verify();
          }
        });
  }

  /** The reference's small case: 3 positions, 5 words, width 4. */
  @Test
  void gradientIsRightForThreePositionsOfFiveWords() {
    Random random = new Random(3);
    MemoryConfig config = MemoryConfig.of(MemoryObjective.LOCAL, 4);
    assertThat(config.scoreScale()).isEqualTo(0.5);
    double[] logits = RandomArrays.normal(random, 15, 1);
    double[] tap = RandomArrays.normal(random, 12, 1);
    int[] targets = {2, 4, 2};
    try (MemoryBench bench = new MemoryBench(config, 1, 3, 4, 5)) {
      GradientCheck.of(bench.session(), bench.meanLoss())
          .fixed(bench.feeds(logits, tap, targets, true, true))
          .input(bench.logits(), Shape.of(3, 5), logits)
          .input(bench.tap(), Shape.of(3, 4), tap)
          .coordinates(12)
          .verify();
    }
  }

  @Test
  void blockwiseEqualsPlain() {
    SeededCases.run(
        40,
        random -> {
          Case c = Case.random(random);
          if (c.targets.length < 2) {
            return;
          }
          // at least two blocks: a single one is the plain path's business
          int queriesPerBlock = 1 + random.nextInt((c.targets.length + 1) / 2);
          try (MemoryBench bench = c.bench()) {
            // a warmed-up memory and a hidden one
            var feeds =
                bench.feeds(c.logits, c.tap, c.targets, random.nextInt(4) > 0, c.localVisible);
            List<Operand<?>> fetches = new ArrayList<>();
            for (var loss : List.of(bench.meanLoss(), bench.blockwise(queriesPerBlock))) {
              fetches.add(loss);
              fetches.addAll(List.of(bench.gradientOutputs(loss)));
            }
            List<double[]> found = bench.session().evaluateAll(fetches, feeds);
            for (int i = 0; i < 3; i++) {
              assertThatTensor(found.get(3 + i)).isCloseTo(found.get(i), 1e-9);
            }
          }
        });
  }

  /** A scaled loss scales the gradient: the blockwise trick must not fix its own factor. */
  @Test
  void blockwiseGradientFollowsTheOuterFactor() {
    Random random = new Random(12);
    Case c = Case.random(random);
    while (c.targets.length < 3) {
      c = Case.random(random);
    }
    try (MemoryBench bench = c.bench()) {
      var tf = bench.session().tf();
      var feeds = bench.feeds(c.logits, c.tap, c.targets, true, c.localVisible);
      var loss = bench.blockwise(2);
      Output<?>[] with = {bench.logits().asOutput(), bench.tap().asOutput()};
      double[] once = bench.gradients(loss, feeds).get(1);
      double[] thrice =
          bench
              .session()
              .evaluate(
                  bench
                      .session()
                      .graph()
                      .addGradients(tf.math.mul(loss, tf.constant(3.0)).asOutput(), with)[1],
                  feeds);
      for (int i = 0; i < once.length; i++) {
        once[i] *= 3;
      }
      assertThatTensor(thrice).isCloseTo(once, 1e-12);
    }
  }
}
