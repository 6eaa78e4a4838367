package org.lathe.training.optimization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.errors.ConfigException;

class ScheduleTest {

  @ParameterizedTest
  @CsvSource({
    // warm-up 4, total 12, minimum 0.1; by hand
    "CONSTANT, 0, 0.25",
    "CONSTANT, 3, 1",
    "CONSTANT, 4, 1",
    "CONSTANT, 1000, 1",
    "LINEAR, 0, 0.25",
    "LINEAR, 1, 0.5",
    "LINEAR, 3, 1",
    "LINEAR, 4, 1",
    "LINEAR, 5, 0.8875",
    "LINEAR, 8, 0.55",
    "LINEAR, 12, 0.1",
    "LINEAR, 13, 0.1",
    "COSINE, 2, 0.75",
    "COSINE, 4, 1",
    "COSINE, 6, 0.8681980515339464",
    "COSINE, 8, 0.55",
    "COSINE, 12, 0.1",
    "COSINE, 99, 0.1",
    "INVERSE_SQUARE_ROOT, 3, 1",
    "INVERSE_SQUARE_ROOT, 4, 1",
    "INVERSE_SQUARE_ROOT, 16, 0.5",
    "INVERSE_SQUARE_ROOT, 100, 0.2",
    "INVERSE_SQUARE_ROOT, 40000, 0.1",
  })
  void followsTheFormulas(ScheduleConfig.Kind kind, long step, double expected) {
    Schedule schedule = Schedule.of(new ScheduleConfig(kind, 4, 12, 0.1));
    assertThat(schedule.factorAt(step)).isCloseTo(expected, within(1e-12));
  }

  @Test
  void exampleOfTheDocumentation() {
    Schedule schedule = Schedule.of(new ScheduleConfig(ScheduleConfig.Kind.COSINE, 2, 10, 0));
    assertThat(schedule.factorAt(0)).isEqualTo(0.5);
    assertThat(schedule.factorAt(1)).isEqualTo(1);
    assertThat(schedule.factorAt(2)).isEqualTo(1);
    assertThat(schedule.factorAt(6)).isCloseTo(0.5, within(1e-12));
    assertThat(schedule.factorAt(10)).isCloseTo(0, within(1e-12));
  }

  @ParameterizedTest
  @CsvSource({"CONSTANT", "LINEAR", "COSINE", "INVERSE_SQUARE_ROOT"})
  void staysBetweenMinimumAndOne(ScheduleConfig.Kind kind) {
    Schedule schedule = Schedule.of(new ScheduleConfig(kind, 7, 50, 0.05));
    for (long step = 0; step < 200; step++) {
      assertThat(schedule.factorAt(step)).isGreaterThan(0.049).isLessThanOrEqualTo(1);
    }
  }

  @Test
  void noWarmupStartsAtThePeak() {
    assertThat(Schedule.constant().factorAt(0)).isEqualTo(1);
    assertThat(Schedule.of(new ScheduleConfig(ScheduleConfig.Kind.LINEAR, 0, 10, 0)).factorAt(0))
        .isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "LINEAR, -1, 10, 0, warmupSteps",
    "LINEAR, 10, 10, 0, totalSteps",
    "COSINE, 10, 5, 0, totalSteps",
    "LINEAR, 1, 10, 1.5, minimumRatio",
    "LINEAR, 1, 10, NaN, minimumRatio",
    "INVERSE_SQUARE_ROOT, 0, 10, 0, warmupSteps",
  })
  void refusesWhatCannotBeMeant(
      ScheduleConfig.Kind kind, long warmup, long total, double minimum, String named) {
    assertThatThrownBy(() -> new ScheduleConfig(kind, warmup, total, minimum))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(named);
  }
}
