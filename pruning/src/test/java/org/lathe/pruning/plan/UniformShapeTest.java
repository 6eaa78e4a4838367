package org.lathe.pruning.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.testdata.SeededCases;

class UniformShapeTest {
  /** An attention layer of 4 heads of 4 has 4 (4*4*16+12) + 16 = 1088 parameters, a unit 33. */
  private static final TransformerConfig SIX = TransformerConfig.uniform(30, 16, 6, 4, 32, 8);

  private static final LatencyTable TABLE =
      new LatencyTable(
          1,
          8,
          16,
          List.of(0.0, 2.0, 3.0, 4.0, 5.0),
          List.of(0, 8, 32),
          List.of(0.0, 2.0, 5.0),
          2.0,
          0.4);

  @Test
  void halfOfTheLayersAreEvenlySpacedAndEndAtTheLast() {
    PruningPlan plan = plan(UniformShape.meeting(PruningTarget.sparsity(0.5), SIX, 0, 8));
    BlockShape gone = new BlockShape(0, 0);
    BlockShape whole = new BlockShape(4, 32);
    assertThat(plan.slimConfig().blocks()).containsExactly(gone, whole, gone, whole, gone, whole);
    assertThat(plan.sparsity()).isEqualTo(0.5);
    TransformerConfig five = TransformerConfig.uniform(30, 16, 5, 4, 32, 8);
    assertThat(
            plan(UniformShape.meeting(PruningTarget.sparsity(0.4), five, 0, 8))
                .slimConfig()
                .blocks())
        .containsExactly(whole, gone, whole, gone, whole);
  }

  @Test
  void headsAndUnitsShrinkTogetherAndTheFirstStay() {
    // half of the width of half of the layers, and less than the parameters of one unit
    UniformShape shape = UniformShape.meeting(PruningTarget.sparsity(0.745), SIX, 0, 1);
    assertThat(shape).isEqualTo(new UniformShape(SIX, 3, 2, 16));
    PruningPlan plan = plan(shape);
    assertThat(plan.layers().get(1).keptHeads()).containsExactly(0, 1);
    assertThat(plan.layers().get(1).keptIntermediate()).hasSize(16).contains(0, 15);
    assertThat(plan.layers().get(0).keptHeads()).isEmpty();
    assertThat(plan.keptHidden()).hasSize(16);
  }

  @Test
  void aSmallReductionKeepsMoreThanHalfOfTheLayers() {
    assertThat(UniformShape.meeting(PruningTarget.sparsity(0.3), SIX, 0, 1).numLayers())
        .isEqualTo(5);
    assertThat(UniformShape.meeting(PruningTarget.sparsity(0), SIX, 0, 1))
        .isEqualTo(new UniformShape(SIX, 6, 4, 32));
    // unless it is asked for
    assertThat(UniformShape.meeting(PruningTarget.sparsity(0.3), SIX, 3, 1))
        .isEqualTo(new UniformShape(SIX, 3, 4, 32));
  }

  @Test
  void aLargeReductionKeepsFewerLayers() {
    PruningTarget target = PruningTarget.sparsity(0.93);
    UniformShape shape = UniformShape.meeting(target, SIX, 0, 8);
    assertThat(shape.numLayers()).isEqualTo(1);
    assertThatThrownBy(() -> UniformShape.meeting(target, SIX, 3, 8))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("pruning.studentLayers");
    assertThatThrownBy(() -> UniformShape.meeting(target, SIX, 7, 8))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("pruning.studentLayers is 7");
  }

  @Test
  void aWiderShapeWouldMissTheTarget() {
    SeededCases.run(
        30,
        random -> {
          double reduction = 0.05 + 0.85 * random.nextDouble();
          PruningTarget target =
              random.nextBoolean()
                  ? PruningTarget.sparsity(reduction)
                  : PruningTarget.speedup(1 / (1 - 0.8 * reduction), List.of(TABLE), SIX);
          UniformShape found = UniformShape.meeting(target, SIX, 0, 1);
          assertThat(achieved(target, found)).isGreaterThanOrEqualTo(target.reduction());
          if (found.numUnits() < 32) {
            UniformShape wider =
                new UniformShape(SIX, found.numLayers(), found.numHeads(), found.numUnits() + 1);
            assertThat(achieved(target, wider)).isLessThan(target.reduction());
          }
          // one head more or less than in proportion, and what the rounding of heads left
          assertThat(found.numUnits() / 8.0).isBetween(found.numHeads() - 1.5, 4.0);
          UniformShape whole = new UniformShape(SIX, found.numLayers(), 4, 32);
          assertThat(achieved(target, whole)).isLessThanOrEqualTo(target.reduction());
        });
  }

  private static double achieved(PruningTarget target, UniformShape shape) {
    return target.achieved(SIX, ExpectedSizes.of(shape.gates()));
  }

  private static PruningPlan plan(UniformShape shape) {
    return PruningPlan.from(shape.full(), shape.gates());
  }
}
