package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.common.primitives.Floats;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.HardConcrete;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.tensorflow.ndarray.Shape;

/** Layers, heads, random units, and what starts from them. */
class StructuresTest {
  private static final TransformerConfig FULL = TinyTask.WIDE;

  /** Of three layers that are alike, a third each. */
  @Test
  void asManyTopLayersGoAsTheTargetNeeds() {
    assertThat(layersLeft(PruningTarget.sparsity(0))).containsExactly(1, 1, 1);
    assertThat(layersLeft(PruningTarget.sparsity(0.33))).containsExactly(1, 1, 0);
    assertThat(layersLeft(PruningTarget.sparsity(0.34))).containsExactly(1, 0, 0);
    assertThat(layersLeft(PruningTarget.sparsity(0.9))).containsExactly(1, 0, 0);
    // 3 + 3 * 9 ms: without one layer 21 of 30, without two 12
    List<LatencyTable> tables = List.of(TinyTask.TABLE);
    assertThat(layersLeft(PruningTarget.speedup(1.4, tables, FULL))).containsExactly(1, 1, 0);
    assertThat(layersLeft(PruningTarget.speedup(1.5, tables, FULL))).containsExactly(1, 0, 0);
  }

  private static float[] layersLeft(PruningTarget target) {
    GateValues gates = LayerRemoval.ofTop(target, FULL);
    for (int layer = 0; layer < 3; layer++) {
      float left = gates.attentionLayer()[layer];
      assertThat(gates.feedForwardLayer()[layer]).isEqualTo(left);
      assertThat(gates.heads()[layer]).containsOnly(left);
      assertThat(gates.intermediate()[layer]).containsOnly(left);
    }
    assertThat(gates.hidden()).containsOnly(1);
    return gates.existingLayers();
  }

  @Test
  void theLeastSensitiveHeadsGo() {
    double[][] scores = {{0.9, 0.1, 0.8, 0.7}, {0.2, 0.3, 0.4, 0.35}, {0.95, 0.6, 0.05, 0.5}};
    long head = 4 * 4 * 16 + 3 * 4;
    double all = 3 * (4 * head + 16) + 3 * (24 * 33 + 16);
    GateValues three = HeadRemoval.meeting(PruningTarget.sparsity(3 * head / all), FULL, scores);
    assertThat(three.heads()[0]).containsExactly(1, 0, 1, 1);
    assertThat(three.heads()[1]).containsExactly(0, 1, 1, 1);
    assertThat(three.heads()[2]).containsExactly(1, 1, 0, 1);
    // the sixth is the last of its layer, whose output bias then goes too
    GateValues six =
        HeadRemoval.meeting(PruningTarget.sparsity((6 * head + 1) / all), FULL, scores);
    assertThat(six.heads()[1]).containsOnly(0);
    assertThat(six.attentionLayer()).containsExactly(1, 0, 1);
    assertThat(GateValues.numOpen(Floats.concat(six.heads()))).isEqualTo(6);
    assertThat(HeadRemoval.meeting(PruningTarget.sparsity(0), FULL, scores))
        .isEqualTo(GateValues.allOpen(FULL));
    GateValues none = HeadRemoval.meeting(PruningTarget.sparsity(0.9), FULL, scores);
    assertThat(none.attentionLayer()).containsOnly(0);
    assertThat(none.intermediate()[2]).containsOnly(1);
    assertThat(none.feedForwardLayer()).containsOnly(1);
  }

  @Test
  void randomUnitsAreAsManyAsThePlanKeepsAndOtherOnesByTheSeed() {
    GateValues given = GateValues.allOpen(FULL);
    given.hidden()[3] = 0;
    given.heads()[0][0] = 0;
    Arrays.fill(given.heads()[1], 0);
    given.intermediate()[2][5] = 0.5f;
    Arrays.fill(given.intermediate()[0], 4, 24, 0);
    PruningPlan plan = PruningPlan.from(FULL, given);
    PruningPlan first = PruningPlan.from(FULL, RandomUnits.like(plan, FULL, 1));
    PruningPlan again = PruningPlan.from(FULL, RandomUnits.like(plan, FULL, 1));
    PruningPlan other = PruningPlan.from(FULL, RandomUnits.like(plan, FULL, 2));
    assertThat(first.slimConfig()).isEqualTo(plan.slimConfig());
    assertThat(other.slimConfig()).isEqualTo(plan.slimConfig());
    assertThat(first).isEqualTo(again);
    LayerPlan bottom = first.layers().get(0);
    assertThat(bottom.keptIntermediate())
        .hasSize(4)
        .isNotEqualTo(other.layers().get(0).keptIntermediate())
        .isNotEqualTo(plan.layers().get(0).keptIntermediate());
    assertThat(first.gates().intermediate()[2]).containsOnly(1);
  }

  @Test
  void randomStructuresReachTheTargetWithTheKindsThatMayGo() {
    PruningTarget target = PruningTarget.sparsity(0.4);
    Set<GateKind> kinds = EnumSet.of(GateKind.HEADS, GateKind.INTERMEDIATE);
    GateValues gates = RandomUnits.meeting(target, FULL, kinds, 4, 1);
    assertThat(Structures.achieved(target, FULL, gates)).isBetween(0.4, 0.5);
    assertThat(gates.hidden()).containsOnly(1);
    assertThat(Floats.concat(gates.intermediate())).containsOnly(0, 1);
    assertThat(GateValues.numOpen(gates.intermediate()[1]) % 4).isZero();
    assertThat(RandomUnits.meeting(target, FULL, kinds, 4, 1)).isEqualTo(gates);
    assertThat(RandomUnits.meeting(target, FULL, kinds, 4, 2)).isNotEqualTo(gates);
    PruningTarget tooMuch = PruningTarget.sparsity(0.9);
    assertThatThrownBy(() -> RandomUnits.meeting(tooMuch, FULL, EnumSet.of(GateKind.HEADS), 1, 1))
        .isInstanceOf(FailedException.class);
  }

  /** What is left of the fresh weights has the deviation that the slim model starts with. */
  @Test
  void freshWeightsHaveTheDeviationOfTheSlimModel() {
    GateValues gates = GateValues.allOpen(TinyTask.ENCODER.transformer());
    Arrays.fill(gates.hidden(), 0, 6, 0); // a quarter
    Arrays.fill(gates.intermediate()[0], 0, 4, 0); // a third
    Arrays.fill(gates.heads()[1], 0);
    PruningPlan plan = PruningPlan.from(TinyTask.ENCODER.transformer(), gates);
    Weights initial = TinyTask.randomWeights(TinyTask.HEAD, new Random(1));
    Weights fresh = FreshStudent.of(TinyTask.ENCODER, TinyTask.HEAD, initial, plan);
    Map<String, Double> factors =
        Map.of(
            "encoder/embedding/tokens", 2.0,
            "encoder/embedding/positions", 1.0,
            "encoder/layer_0/attention/query/kernel", 2.0,
            "encoder/layer_0/attention/output/kernel", 1.0,
            "encoder/layer_0/feed_forward/down/kernel", Math.sqrt(3),
            "encoder/layer_1/feed_forward/down/kernel", 1.0,
            "encoder/layer_0/attention/query/bias", 1.0,
            "encoder/pooler/kernel", 2.0,
            "classifier/output/kernel", 1.0);
    factors.forEach(
        (name, factor) ->
            assertThat((double) fresh.get(name).values()[3])
                .as(name)
                .isCloseTo(factor * initial.get(name).values()[3], within(1e-5)));
    SlimEncoder slim = Slimmer.slim(TinyTask.ENCODER, TinyTask.HEAD, fresh, plan);
    assertThat(slim.config().transformer()).isEqualTo(plan.slimConfig());
  }

  /**
   * A head has 40 parameters here and a unit 13, with their shares of the output bias; the cheapest
   * first, unit 0, head 1, head 3, head 2, unit 1, head 0. Of 186 in all 120 go, so the edge lies
   * within head 2.
   */
  @Test
  void gatesStartAtTheStructureThatMeetsTheReduction() {
    TransformerConfig full = TransformerConfig.uniform(10, 4, 2, 2, 1, 8);
    UnitScores scores =
        new UnitScores(new double[][] {{5, 1}, {3, 2}}, new double[][] {{0.1}, {1}});
    Weights usual =
        new Weights()
            .put(GateKind.HEADS.variableName(), Shape.of(2, 2), new float[4])
            .put(GateKind.INTERMEDIATE.variableName(), Shape.of(2, 1), new float[2]);
    Weights start = GateStart.at(scores, PruningTarget.sparsity(0.9), 120 / 186.0, full, usual, 3);
    float half = -1.598597f;
    assertThat(HardConcrete.openProbability(half)).isCloseTo(0.5, within(1e-6));
    assertThat(start.get(GateKind.HEADS.variableName()).values())
        .containsExactly(
            new float[] {
              half + 3, half - 3 * 107 / 120f, half - 3 * 27 / 120f, half - 3 * 67 / 120f
            },
            within(1e-4f));
    assertThat(start.get(GateKind.INTERMEDIATE.variableName()).values())
        .containsExactly(new float[] {half - 3, half + 3 * 13 / 26f}, within(1e-4f));
  }

  @Test
  void gatesOfOtherKindsStartAsUsual() {
    TransformerConfig full = TransformerConfig.uniform(10, 4, 2, 2, 1, 8);
    UnitScores scores =
        new UnitScores(new double[][] {{5, 1}, {3, 2}}, new double[][] {{0.1}, {1}});
    Weights usual =
        new Weights()
            .put(GateKind.HEADS.variableName(), Shape.of(2, 2), new float[4])
            .put(GateKind.HIDDEN.variableName(), Shape.of(1), new float[] {2.01f});
    Weights start = GateStart.at(scores, PruningTarget.sparsity(0.5), 0.5, full, usual, 1);
    assertThat(start.names()).hasSize(2);
    assertThat(start.get(GateKind.HIDDEN.variableName()).values()).containsExactly(2.01f);
    float[] heads = start.get(GateKind.HEADS.variableName()).values();
    assertThat(heads[1]).isLessThan(heads[3]);
    assertThat(heads[3]).isLessThan(heads[2]);
    assertThat(heads[0]).isCloseTo(-0.598597f, within(1e-5f));
    assertThat(usual.get(GateKind.HEADS.variableName()).values()).containsOnly(0);
  }
}
