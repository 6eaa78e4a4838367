package org.lathe.training.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CorrelationsTest {
  private static final double EPSILON = 1e-12;

  /** First and fourth of Anscombe's quartet (1973): r = 0.81642 and 0.81652. */
  @Test
  void anscombe() {
    assertThat(
            Correlations.pearson(
                new double[] {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                new double[] {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68}))
        .isCloseTo(0.81642, within(5e-6));
    assertThat(
            Correlations.pearson(
                new double[] {8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8},
                new double[] {6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89}))
        .isCloseTo(0.81652, within(5e-6));
  }

  @Test
  void pearsonByHand() {
    // deviations (-1, 0, 1) and (-2, 1, 1): 3 / sqrt(2 * 6)
    assertThat(Correlations.pearson(new double[] {1, 2, 3}, new double[] {0, 3, 3}))
        .isCloseTo(3 / Math.sqrt(12), within(EPSILON));
    assertThat(Correlations.pearson(new double[] {1, 2, 3}, new double[] {-2, -4, -6}))
        .isCloseTo(-1, within(EPSILON));
  }

  @Test
  void ranksOfEqualValuesAreTheirMean() {
    assertThat(Correlations.ranks(new double[] {3, 1, 3, 2, 3, 1}))
        .containsExactly(5, 1.5, 5, 3, 5, 1.5);
    assertThat(Correlations.ranks(new double[0])).isEmpty();
  }

  @Test
  void spearmanByHand() {
    // without ties 1 - 6 sum d^2 / (n (n^2 - 1)): ranks 1 2 3 4 5 and 2 1 4 3 5, sum d^2 = 4
    assertThat(
            Correlations.spearman(
                new double[] {1, 2, 3, 4, 5}, new double[] {2.2, 1.1, 40, 30, 5e9}))
        .isCloseTo(0.8, within(EPSILON));
    // with ties: ranks 1 2.5 2.5 4 and 1 2 3 4: 4.5 / sqrt(4.5 * 5)
    assertThat(Correlations.spearman(new double[] {1, 2, 2, 3}, new double[] {1, 2, 3, 4}))
        .isCloseTo(4.5 / Math.sqrt(22.5), within(EPSILON));
  }

  @Test
  void constantPredictionsHaveNoCorrelation() {
    // 0.1 three times does not have the mean 0.1 in doubles
    double[] constant = {0.1, 0.1, 0.1};
    assertThat(Correlations.pearson(constant, new double[] {1, 2, 3})).isEqualTo(0);
    assertThat(Correlations.spearman(new double[] {1, 2, 3}, constant)).isEqualTo(0);
    double[] none = {Double.NaN, Double.NaN, Double.NaN};
    assertThat(Correlations.spearman(none, new double[] {1, 2, 3})).isNaN();
    assertThat(Correlations.pearson(new double[] {4}, new double[] {4})).isEqualTo(0);
  }
}
