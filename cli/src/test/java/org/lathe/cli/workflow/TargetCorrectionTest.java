package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TargetCorrectionTest {
  @Test
  void aMissIsCorrectedInProportion() {
    TargetCorrection correction = new TargetCorrection(5, 100);
    assertThat(correction.target()).isEqualTo(5);
    correction.missed(4);
    assertThat(correction.target()).isCloseTo(6.25, within(1e-9));
  }

  @Test
  void betweenTooSlowAndTooFastItIsHalved() {
    TargetCorrection correction = new TargetCorrection(5, 100);
    correction.missed(4); // 5 is too slow
    correction.missed(9); // 6.25 too fast; in proportion it would be 3.5
    assertThat(correction.target()).isCloseTo(Math.sqrt(5 * 6.25), within(1e-9));
  }

  @Test
  void itStaysBelowWhatTablesAllow() {
    TargetCorrection correction = new TargetCorrection(5, 6);
    correction.missed(4);
    assertThat(correction.target()).isCloseTo(Math.sqrt(5 * 6), within(1e-9));
  }

  @Test
  void itStaysAboveTheWholeModel() {
    TargetCorrection correction = new TargetCorrection(1.2, 6);
    correction.missed(1.6); // in proportion 0.9, which is no speed-up
    assertThat(correction.target()).isCloseTo(Math.sqrt(1.2), within(1e-9));
  }
}
