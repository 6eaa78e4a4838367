package org.lathe.training.optimization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.ndarray.Shape;

/** Reads come before assignments, in every session. */
class UpdateOrderTest {
  private static final int NUM_VARIABLES = 6;
  private static final int NUM_SESSIONS = 20;
  private static final int SIZE = 48;
  private static final Shape SHAPE = Shape.of(SIZE, SIZE);

  @Test
  void lossFetchedWithApplyIsOfTheValuesBefore() {
    try (FedGradients model = new FedGradients()) {
      List<Variable> variables = new ArrayList<>();
      Map<String, float[]> gradients = new LinkedHashMap<>();
      for (int i = 0; i < NUM_VARIABLES; i++) {
        variables.add(model.declare("v" + i, SHAPE, filled(1)));
        gradients.put("v" + i, filled(1));
      }
      OptimizerConfig config = OptimizerConfig.nag(1, 0).withWeightDecay(0.5);
      model.build(0, 1, ParameterGroup.of("all", variables, config, Schedule.constant()));
      double value = 1;
      for (int step = 0; step < 10; step++) {
        double expected = value * NUM_VARIABLES * SIZE * SIZE;
        assertThat(model.applyAndFetchLoss(step, gradients))
            .isCloseTo(expected, within(1e-4 * Math.abs(expected)));
        value = value * 0.5 - 1;
      }
    }
  }

  @Test
  void sessionsAgreeToTheBit() {
    try (FedGradients model = new FedGradients()) {
      List<Variable> first = new ArrayList<>();
      List<Variable> second = new ArrayList<>();
      Map<String, float[]> gradients = new LinkedHashMap<>();
      for (int i = 0; i < NUM_VARIABLES; i++) {
        (i % 2 == 0 ? first : second).add(model.declare("v" + i, SHAPE, filled(i + 1)));
        gradients.put("v" + i, waves(i));
      }
      OptimizerConfig adamW = OptimizerConfig.adamW(0.01).withWeightDecay(0.1);
      OptimizerConfig nag = OptimizerConfig.nag(0.1, 0.9).withWeightDecay(0.1);
      Schedule schedule = Schedule.of(new ScheduleConfig(ScheduleConfig.Kind.COSINE, 2, 8, 0));
      model.build(
          0.7,
          2,
          ParameterGroup.of("first", first, adamW, schedule).withValueLimit(4.9),
          ParameterGroup.of("second", second, nag, schedule).ascending().withValueLimit(5.9));
      Map<String, float[]> expected = null;
      for (int session = 0; session < NUM_SESSIONS; session++) {
        model.restart();
        for (int step = 0; step < 4; step++) {
          model.accumulate(step, gradients);
          model.apply(step, gradients);
        }
        Map<String, float[]> values = new LinkedHashMap<>();
        model.catalog.all().forEach(v -> values.put(v.name(), model.value(v.name())));
        if (expected == null) {
          expected = values;
        }
        for (String name : values.keySet()) {
          assertThat(Arrays.equals(values.get(name), expected.get(name)))
              .as("%s in session %d equals session 0", name, session)
              .isTrue();
        }
      }
    }
  }

  private static float[] filled(float value) {
    float[] values = new float[SIZE * SIZE];
    Arrays.fill(values, value);
    return values;
  }

  private static float[] waves(int phase) {
    float[] values = new float[SIZE * SIZE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(0.37 * i + phase);
    }
    return values;
  }
}
