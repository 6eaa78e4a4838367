package org.lathe.training.optimization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.ndarray.Shape;

/** Ten steps of each rule beside a reference in plain Java and float64. */
class UpdateRuleTest {
  private static final int NUM_STEPS = 10;

  /** Terms of both signs of about this size add up to parameters, m and momentum. */
  private static final double SUM_SIZE = 0.1;

  private static final double[] RATE_FACTORS = {0.25, 0.5, 1, 1, 0.9, 0.3, 0.7, 0.2, 0.05, 0.6};
  private static final Schedule CHANGING = step -> RATE_FACTORS[Math.toIntExact(step)];
  private static final Map<String, Shape> SHAPES = new LinkedHashMap<>();

  static {
    SHAPES.put("layer/kernel", Shape.of(3, 4));
    SHAPES.put("layer/bias", Shape.of(4));
    SHAPES.put("scale", Shape.scalar());
  }

  /** State of one scalar parameter. Constants are rounded to float32, as the graph holds them. */
  private abstract static class Reference {
    double p;

    abstract void step(int step, double gradient, double rate, boolean decays);

    abstract Map<String, Double> slots();
  }

  private static final class AdamReference extends Reference {
    private static final double BETA1 = 0.85f;
    private static final double BETA2 = 0.98f;
    private static final double EPSILON = 1e-3f;
    private static final double DECAY = 0.1f;
    private double m;
    private double v;

    @Override
    void step(int step, double gradient, double rate, boolean decays) {
      if (decays) {
        p = p * (1 - rate * DECAY);
      }
      m = BETA1 * m + (1 - BETA1) * gradient;
      v = BETA2 * v + (1 - BETA2) * gradient * gradient;
      double correction1 = 1 - (float) Math.pow(0.85, step + 1);
      double correction2 = 1 - (float) Math.pow(0.98, step + 1);
      p -= rate * Math.sqrt(correction2) / correction1 * m / (Math.sqrt(v) + EPSILON);
    }

    @Override
    Map<String, Double> slots() {
      return Map.of("m", m, "v", v);
    }
  }

  private static final class NagReference extends Reference {
    private static final double MOMENTUM = 0.9f;
    private static final double DECAY = 0.1f;
    private double buffer;
    private double rateBefore;

    @Override
    void step(int step, double gradient, double rate, boolean decays) {
      double correction = step == 0 ? 1 : rate / rateBefore;
      if (decays) {
        p *= 1 - rate * DECAY;
      }
      // as fairseq writes it, which differs from how the graph does
      p += MOMENTUM * MOMENTUM * correction * buffer;
      p -= (1 + MOMENTUM) * rate * gradient;
      buffer = MOMENTUM * correction * buffer - rate * gradient;
      rateBefore = rate;
    }

    @Override
    Map<String, Double> slots() {
      return Map.of("momentum", buffer);
    }
  }

  @Test
  void adamWIsItsFormula() {
    OptimizerConfig config =
        new OptimizerConfig(OptimizerConfig.Kind.ADAMW, 0.05, 0.85, 0.98, 1e-3, 0.1, 0);
    compare(config, AdamReference::new);
  }

  @Test
  void nagIsItsFormula() {
    compare(OptimizerConfig.nag(0.05, 0.9).withWeightDecay(0.1), NagReference::new);
  }

  @Test
  void nagExampleOfTheDocumentation() {
    try (FedGradients model = new FedGradients()) {
      Variable p = model.declare("p", Shape.scalar(), 0f);
      model.build(0, 1, group(List.of(p), OptimizerConfig.nag(1, 0.9), Schedule.constant()));
      model.apply(0, Map.of("p", new float[] {1}));
      assertThat(model.value("p")[0]).isCloseTo(-1.9f, within(1e-6f));
      model.apply(1, Map.of("p", new float[] {1}));
      assertThat(model.value("p")[0]).isCloseTo(-4.61f, within(1e-6f));
      assertThat(model.value("optimizer/p/momentum")[0]).isCloseTo(-1.9f, within(1e-6f));
    }
  }

  @Test
  void nagSurvivesARateOfZero() {
    try (FedGradients model = new FedGradients()) {
      Variable p = model.declare("p", Shape.scalar(), 2f);
      Schedule pause = step -> step == 1 || step == 2 ? 0 : 1;
      model.build(0, 1, group(List.of(p), OptimizerConfig.nag(0.1, 0.9), pause));
      for (int step = 0; step < 4; step++) {
        model.apply(step, Map.of("p", new float[] {1}));
      }
      // steps 0 and 3 move by (1 + 0.9) x 0.1 each, the zero rates forget the velocity
      assertThat(model.value("p")[0]).isCloseTo(1.62f, within(1e-6f));
    }
  }

  private static void compare(OptimizerConfig config, Supplier<Reference> references) {
    Random random = new Random(11);
    try (FedGradients model = new FedGradients()) {
      Map<String, Reference[]> expected = new LinkedHashMap<>();
      SHAPES.forEach(
          (name, shape) -> {
            float[] initial = normals(random, shape);
            model.declare(name, shape, initial);
            Reference[] states = new Reference[initial.length];
            for (int i = 0; i < initial.length; i++) {
              states[i] = references.get();
              states[i].p = initial[i];
            }
            expected.put(name, states);
          });
      model.build(0, 1, group(model.catalog.all(), config, CHANGING));

      for (int step = 0; step < NUM_STEPS; step++) {
        Map<String, float[]> gradients = new LinkedHashMap<>();
        SHAPES.forEach((name, shape) -> gradients.put(name, normals(random, shape)));
        model.apply(step, gradients);
        double rate = (float) (0.05 * RATE_FACTORS[step]);
        for (String name : SHAPES.keySet()) {
          Reference[] states = expected.get(name);
          for (int i = 0; i < states.length; i++) {
            states[i].step(step, gradients.get(name)[i], rate, name.equals("layer/kernel"));
          }
          requireSame(model, name, states, step);
        }
      }
    }
  }

  private static void requireSame(FedGradients model, String name, Reference[] states, int step) {
    for (int i = 0; i < states.length; i++) {
      String where = "%s[%d] at step %d".formatted(name, i, step);
      requireClose(model.value(name)[i], states[i].p, SUM_SIZE, where);
      for (Map.Entry<String, Double> slot : states[i].slots().entrySet()) {
        requireClose(
            model.value("optimizer/" + name + "/" + slot.getKey())[i],
            slot.getValue(),
            slot.getKey().equals("v") ? 0 : SUM_SIZE,
            slot.getKey() + " of " + where);
      }
    }
  }

  /** To 1e-6, relative to the value or to the size of what was added to get there. */
  private static void requireClose(float actual, double expected, double size, String where) {
    assertThat((double) actual)
        .as(where)
        .isCloseTo(expected, within(1e-6 * Math.max(size, Math.abs(expected))));
  }

  private static float[] normals(Random random, Shape shape) {
    float[] values = new float[Math.toIntExact(shape.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static ParameterGroup group(
      List<Variable> variables, OptimizerConfig config, Schedule schedule) {
    return ParameterGroup.of("all", variables, config, schedule);
  }
}
