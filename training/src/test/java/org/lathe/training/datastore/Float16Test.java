package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.FailedException;
import org.lathe.testdata.SeededCases;

class Float16Test {
  private static final int INFINITY = 0x7C00;

  @Test
  void everyHalfHasItsValueAndComesBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = bits >> 10 & 31;
      int mantissa = bits & 1023;
      float found = Float16.toFloat((short) bits);
      if (exponent == 31) {
        assertThat(Float.isFinite(found)).isFalse();
        continue;
      }
      double magnitude =
          exponent == 0
              ? mantissa / 1024.0 * Math.pow(2, -14)
              : (1 + mantissa / 1024.0) * Math.pow(2, exponent - 15);
      assertThat((double) found).isEqualTo(bits >> 15 == 0 ? magnitude : -magnitude);
      assertThat(Float16.of(found)).isEqualTo((short) bits);
    }
  }

  @Test
  void roundsToTheNearestAndTiesToEven() {
    SeededCases.run(
        20_000,
        random -> {
          int bits = random.nextInt(INFINITY - 1);
          double low = Float16.toFloat((short) bits);
          double high = Float16.toFloat((short) (bits + 1));
          double share = random.nextInt(4) == 0 ? 0.5 : random.nextDouble();
          float value = (float) (low + share * (high - low));
          int expected =
              value - low < high - value
                  ? bits
                  : value - low > high - value ? bits + 1 : bits + (bits & 1);
          assertThat(Float16.of(value)).isEqualTo((short) expected);
          assertThat(Float16.of(-value)).isEqualTo((short) (expected | 0x8000));
        });
  }

  @Test
  void theLimitIsNamed() {
    assertThat(Float16.toFloat(Float16.of(65519.99f))).isEqualTo(65504f);
    assertThat(Float16.of(1e-9f)).isZero();
  }

  @ParameterizedTest
  @ValueSource(floats = {65520, -1e6f, Float.POSITIVE_INFINITY, Float.NaN})
  void whatDoesNotFitIsRefused(float value) {
    assertThatThrownBy(() -> Float16.of(value))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("value " + value);
  }
}
