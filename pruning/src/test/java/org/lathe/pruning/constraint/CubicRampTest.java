package org.lathe.pruning.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CubicRampTest {
  @Test
  void risesFastFirstAndThenStays() {
    CubicRamp ramp = new CubicRamp(0.8, 0, 4);
    // 0.8 (1 - (1 - k / 4)^3)
    double[] expected = {0, 0.4625, 0.7, 0.7875, 0.8, 0.8};
    for (int step = 0; step < expected.length; step++) {
      assertThat(ramp.applyAsDouble(step)).isCloseTo(expected[step], within(1e-12));
    }
  }

  @Test
  void waitsForItsFirstStep() {
    CubicRamp ramp = new CubicRamp(0.8, 3, 4);
    double[] expected = {0, 0, 0, 0, 0.4625, 0.7, 0.7875, 0.8, 0.8};
    for (int step = 0; step < expected.length; step++) {
      assertThat(ramp.applyAsDouble(step)).isCloseTo(expected[step], within(1e-12));
    }
  }

  @Test
  void isThereAtOnceWithoutSteps() {
    assertThat(new CubicRamp(0.8, 0, 0).applyAsDouble(0)).isEqualTo(0.8);
    assertThatThrownBy(() -> new CubicRamp(1, 0, 4)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new CubicRamp(0.5, -1, 4))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new CubicRamp(0.5, 0, -1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
