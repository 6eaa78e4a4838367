package org.lathe.training.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class UncertaintyTest {
  @Test
  void standardErrorOfAnAccuracy() {
    assertThat(Uncertainty.standardError(0.9, 900)).isCloseTo(0.01, within(1e-12));
    assertThat(Uncertainty.standardError(1, 10)).isEqualTo(0);
    assertThatThrownBy(() -> Uncertainty.standardError(90, 900)).hasMessageContaining("90");
  }

  @Test
  void pairedDifference() {
    PairedComparison comparison =
        PairedComparison.of(
            new int[] {1, 1, 1, 0, 0, 0, 2, 2},
            new int[] {1, 0, 0, 0, 1, 2, 2, 0},
            new int[] {1, 1, 1, 0, 1, 1, 0, 1});
    assertThat(comparison).isEqualTo(new PairedComparison(8, 2, 1));
    assertThat(comparison.difference()).isEqualTo(0.125);
    // per example +1 twice, -1 once, 0 five times: variance 3/8 - 1/64, over 8
    assertThat(comparison.standardError())
        .isCloseTo(Math.sqrt((3.0 / 8 - 1.0 / 64) / 8), within(1e-12));
    assertThat(comparison.halfInterval95())
        .isCloseTo(1.96 * comparison.standardError(), within(1e-4));
    assertThat(new PairedComparison(10, 0, 0).pValue()).isEqualTo(1);
  }

  @Test
  void exactTestSumsTheBinomialTail() {
    // of 8 differing examples 1 at most on one side: 2 (1 + 8) / 256
    assertThat(new PairedComparison(100, 7, 1).pValue()).isCloseTo(18.0 / 256, within(1e-12));
    assertThat(new PairedComparison(100, 1, 7).pValue()).isCloseTo(18.0 / 256, within(1e-12));
    assertThat(new PairedComparison(100, 5, 5).pValue()).isEqualTo(1);
    // the terms underflow one by one where a plain power of two would
    assertThat(new PairedComparison(10_000, 2000, 2000).pValue()).isEqualTo(1);
    assertThat(new PairedComparison(10_000, 2100, 1900).pValue()).isBetween(0.0014, 0.0018);
    assertThatThrownBy(() -> new PairedComparison(3, 2, 2))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** The interval covers the true difference in about 95 of 100 repetitions. */
  @Test
  void intervalCovers() {
    Random random = new Random(3);
    int covered = 0;
    int repetitions = 1000;
    for (int r = 0; r < repetitions; r++) {
      int onlyFirst = 0;
      int onlySecond = 0;
      for (int i = 0; i < 400; i++) {
        double u = random.nextDouble();
        onlyFirst += u < 0.12 ? 1 : 0;
        onlySecond += u > 0.92 ? 1 : 0;
      }
      PairedComparison comparison = new PairedComparison(400, onlyFirst, onlySecond);
      double error = Math.abs(comparison.difference() - 0.04);
      covered += error <= comparison.halfInterval95() ? 1 : 0;
    }
    assertThat(covered).isBetween(925, 975);
  }
}
