package org.lathe.pruning.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;
import org.lathe.testdata.SeededCases;

class UnitRankingTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(30, 16, 2, 2, 8, 8);

  /** Nine tenths of the time is in the sublayers. */
  private static final LatencyTable TABLE =
      new LatencyTable(
          1, 8, 16, List.of(0.0, 2.0, 4.0), List.of(0, 4, 8), List.of(0.0, 1.5, 5.0), 2.0, 0.4);

  @Test
  void theLowestGoFirstWhateverTheirLayerAndKind() {
    float[][] heads = {{9, 1}, {8, 7}};
    float[][] units = {{2, 9, 9, 9, 9, 9, 9, 9}, {0, 9, 9, 9, 9, 9, 9, 9}};
    UnitRanking scores = new UnitRanking(CONFIG, heads, units);
    // a head of 8 on 16 has 4*8*16+24 = 536 of 2736 parameters, a unit 33
    GateValues gates = scores.meeting(PruningTarget.sparsity(0.22), 1);
    assertThat(gates.heads()).isDeepEqualTo(new float[][] {{1, 0}, {1, 1}});
    assertThat(gates.intermediate()[0]).containsExactly(0, 1, 1, 1, 1, 1, 1, 1);
    assertThat(gates.intermediate()[1]).containsExactly(0, 1, 1, 1, 1, 1, 1, 1);
    // the unit of 2 is not needed for a little less
    gates = scores.meeting(PruningTarget.sparsity(0.2), 1);
    assertThat(gates.intermediate()[0]).containsOnly(1);
    // kept units come in fours: the head alone
    gates = scores.meeting(PruningTarget.sparsity(0.195), 4);
    assertThat(gates.heads()).isDeepEqualTo(new float[][] {{1, 0}, {1, 1}});
    assertThat(gates.intermediate()[1]).containsOnly(1);
  }

  @Test
  void keptUnitsAreRaisedToAMultipleByTheBestOfTheOthers() {
    float[][] heads = {{4.5f, 20}, {20, 20}};
    float[][] units = {{5, 1, 2, 3, 4, 0, 19, 18}, {9, 10, 11, 12, 13, 14, 15, 16}};
    UnitRanking scores = new UnitRanking(CONFIG, heads, units);
    GateValues gates = scores.meeting(PruningTarget.sparsity((4 * 33 + 536) / 2736.0 - 1e-6), 4);
    // five units are below the head that has to go; the best of the five comes back
    assertThat(gates.heads()).isDeepEqualTo(new float[][] {{0, 1}, {1, 1}});
    assertThat(gates.intermediate()[0]).containsExactly(1, 0, 0, 0, 1, 0, 1, 1);
    assertThat(gates.intermediate()[1]).containsOnly(1);
  }

  @Test
  void oneUnitLessPrunedWouldMissTheTarget() {
    SeededCases.run(
        20,
        random -> {
          UnitRanking scores = random(random);
          double reduction = 0.05 + 0.8 * random.nextDouble();
          PruningTarget target =
              random.nextBoolean()
                  ? PruningTarget.sparsity(reduction)
                  : PruningTarget.speedup(1 / (1 - 0.8 * reduction), List.of(TABLE), CONFIG);
          GateValues found = scores.meeting(target, 1);
          assertThat(achieved(target, found)).isGreaterThanOrEqualTo(target.reduction());
          openHighestClosed(scores, found);
          assertThat(achieved(target, found)).isLessThan(target.reduction());
        });
  }

  @Test
  void whatCannotBeReachedIsSaid() {
    UnitRanking scores = random(new Random(1));
    PruningTarget all = PruningTarget.sparsity(0.999);
    assertThat(achieved(all, scores.meeting(all, 1))).isEqualTo(1);
    PruningTarget tooFast = PruningTarget.speedup(9.9, List.of(TABLE), CONFIG);
    assertThat(achieved(tooFast, scores.meeting(tooFast, 8))).isGreaterThan(0.89);
    assertThatThrownBy(() -> new UnitRanking(CONFIG, new float[2][3], new float[2][8]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void openHighestClosed(UnitRanking scores, GateValues gates) {
    float best = Float.NEGATIVE_INFINITY;
    float[] row = null;
    int index = 0;
    for (int layer = 0; layer < 2; layer++) {
      for (int kind = 0; kind < 2; kind++) {
        float[] values = kind == 0 ? scores.heads()[layer] : scores.units()[layer];
        float[] open = kind == 0 ? gates.heads()[layer] : gates.intermediate()[layer];
        for (int i = 0; i < values.length; i++) {
          if (open[i] == 0 && values[i] > best) {
            best = values[i];
            row = open;
            index = i;
          }
        }
      }
      gates.attentionLayer()[layer] = 1;
      gates.feedForwardLayer()[layer] = 1;
    }
    row[index] = 1;
  }

  private static UnitRanking random(Random random) {
    float[][] heads = new float[2][2];
    float[][] units = new float[2][8];
    for (int layer = 0; layer < 2; layer++) {
      for (float[] row : List.of(heads[layer], units[layer])) {
        for (int i = 0; i < row.length; i++) {
          row[i] = (float) random.nextGaussian();
        }
      }
    }
    return new UnitRanking(CONFIG, heads, units);
  }

  private static double achieved(PruningTarget target, GateValues gates) {
    return target.achieved(CONFIG, ExpectedSizes.of(gates));
  }
}
