package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.lathe.pruning.gates.GateValues;
import org.lathe.testdata.SeededCases;

class RearrangementTest {
  private static final int NUM_UNITS = 9;
  private static final int NUM_EXAMPLES = 6;

  /** Units 0 and 1 say the same with equal signs, 2 cancels 0: by F_ij, 0 and 2 go together. */
  @Test
  void unitsThatCancelGoTogether() {
    float[][] gradients = {{1, -2}, {1.01f, -2}, {-1.02f, 2}, {3, 3}};
    float[] gates = {0, 0, 1, 1};
    Rearrangement.improve(gates, gradients);
    assertThat(GateValues.openIndices(gates)).hasSize(2).contains(3);
    assertThat(gates[2]).isZero();
    assertThat(Rearrangement.cost(gates, gradients)).isLessThan(1e-3);
  }

  @Test
  void keepsTheNumberNeverCostsMoreAndLeavesNoExchangeThatHelps() {
    int[] improved = new int[1];
    SeededCases.run(
        40,
        random -> {
          float[][] gradients = new float[NUM_UNITS][NUM_EXAMPLES];
          float[] gates = new float[NUM_UNITS];
          for (int unit = 0; unit < NUM_UNITS; unit++) {
            for (int x = 0; x < NUM_EXAMPLES; x++) {
              gradients[unit][x] = (float) random.nextGaussian();
            }
            gates[unit] = random.nextBoolean() ? 1 : 0;
          }
          float[] before = gates.clone();
          Rearrangement.improve(gates, gradients);
          assertThat(GateValues.numOpen(gates)).isEqualTo(GateValues.numOpen(before));
          double cost = quadraticForm(gates, gradients);
          double costBefore = quadraticForm(before, gradients);
          assertThat(cost).isLessThanOrEqualTo(costBefore * (1 + 1e-9));
          improved[0] += cost < 0.9 * costBefore ? 1 : 0;
          float[] settled = gates.clone();
          for (int i = 0; i < 10; i++) {
            Rearrangement.improve(settled, gradients);
          }
          for (int gone = 0; gone < NUM_UNITS; gone++) {
            for (int kept = 0; kept < NUM_UNITS; kept++) {
              if (settled[gone] == 0 && settled[kept] == 1) {
                float[] other = settled.clone();
                other[gone] = 1;
                other[kept] = 0;
                assertThat(quadraticForm(other, gradients))
                    .isGreaterThan(quadraticForm(settled, gradients) * (1 - 1e-5));
              }
            }
          }
        });
    assertThat(improved[0]).isGreaterThan(15);
  }

  /** sum over removed i, j of F_ij, term by term. */
  private static double quadraticForm(float[] gates, float[][] gradients) {
    double sum = 0;
    for (int i = 0; i < gates.length; i++) {
      for (int j = 0; j < gates.length; j++) {
        for (int x = 0; gates[i] == 0 && gates[j] == 0 && x < NUM_EXAMPLES; x++) {
          sum += (double) gradients[i][x] * gradients[j][x];
        }
      }
    }
    return sum;
  }
}
