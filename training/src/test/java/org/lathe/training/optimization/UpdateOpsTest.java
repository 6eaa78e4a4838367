package org.lathe.training.optimization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** What happens around the rules. NAG without momentum is plain descent: p - rate x gradient. */
class UpdateOpsTest {
  private static final Shape PAIR = Shape.of(2);

  private static ParameterGroup descent(String name, double rate, Variable... variables) {
    return ParameterGroup.of(
        name, List.of(variables), OptimizerConfig.nag(rate, 0), Schedule.constant());
  }

  @Test
  void clipsToTheGlobalNorm() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", PAIR, 0, 0);
      Variable b = model.declare("b", Shape.scalar(), 0);
      model.build(1, 1, descent("all", 1, a, b));
      // norm of (3, 0, 4) is 5
      double norm = model.apply(0, Map.of("a", new float[] {3, 0}, "b", new float[] {4}));
      assertThat(norm).isCloseTo(5, within(1e-6));
      requireValues(model, "a", -0.6, 0);
      requireValues(model, "b", -0.8);
    }
  }

  @Test
  void leavesGradientsBelowTheLimitAndZeroAlone() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", PAIR, 1, 2);
      model.build(6, 1, descent("all", 1, a));
      assertThat(model.apply(0, Map.of("a", new float[] {0, 0}))).isZero();
      requireValues(model, "a", 1, 2);
      assertThat(model.apply(1, Map.of("a", new float[] {3, 4}))).isCloseTo(5, within(1e-6));
      requireValues(model, "a", -2, -2);
    }
  }

  @Test
  void onlyClippedGroupsCountForTheNormAndAreScaled() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", PAIR, 0, 0);
      Variable b = model.declare("b", Shape.scalar(), 0);
      model.build(1, 1, descent("free", 1, b).unclipped(), descent("held", 1, a));
      double norm = model.apply(0, Map.of("a", new float[] {6, 8}, "b", new float[] {100}));
      assertThat(norm).isCloseTo(10, within(1e-5));
      requireValues(model, "a", -0.6, -0.8);
      requireValues(model, "b", -100);
    }
  }

  @Test
  void normIsZeroWhenNothingIsClipped() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", Shape.scalar(), 0);
      model.build(1, 1, descent("free", 1, a).unclipped());
      assertThat(model.apply(0, Map.of("a", new float[] {7}))).isZero();
      requireValues(model, "a", -7);
    }
  }

  @Test
  void accumulationEqualsOneBigBatch() {
    float[][] micro = {{1, -2}, {3, 5}, {-4, 0.5f}, {2, 2}, {0.1f, 0.2f}, {-7, 9}};
    OptimizerConfig config = OptimizerConfig.adamW(0.1);
    try (FedGradients small = new FedGradients();
        FedGradients big = new FedGradients()) {
      Variable a = small.declare("a", PAIR, 1, 1);
      Variable b = big.declare("a", PAIR, 1, 1);
      small.build(1.5, 3, ParameterGroup.of("all", List.of(a), config, Schedule.constant()));
      UpdateOps bigOps =
          big.build(1.5, 1, ParameterGroup.of("all", List.of(b), config, Schedule.constant()));
      assertThat(bigOps.accumulate()).isNull();
      for (int step = 0; step < 2; step++) {
        int first = 3 * step;
        float[] before = small.value("a");
        small.accumulate(step, Map.of("a", micro[first]));
        small.accumulate(step, Map.of("a", micro[first + 1]));
        assertThat(small.value("a")).isEqualTo(before);
        double norm = small.apply(step, Map.of("a", micro[first + 2]));

        float[] mean = new float[2];
        for (int i = 0; i < 2; i++) {
          mean[i] = (micro[first][i] + micro[first + 1][i] + micro[first + 2][i]) / 3;
        }
        assertThat(norm).isCloseTo(big.apply(step, Map.of("a", mean)), within(1e-6));
        for (String name : List.of("a", "optimizer/a/m", "optimizer/a/v")) {
          assertThat(small.value(name)).as(name).containsExactly(big.value(name), within(1e-6f));
        }
        assertThat(small.value("optimizer/a/gradient_sum")).containsExactly(0, 0);
      }
    }
  }

  @Test
  void ascendsWithAndWithoutClipping() {
    try (FedGradients model = new FedGradients()) {
      Variable free = model.declare("free", Shape.scalar(), 1);
      Variable held = model.declare("held", Shape.scalar(), 1);
      model.build(
          1,
          1,
          descent("up", 0.5, free).unclipped().ascending(),
          descent("in", 1, held).ascending());
      model.apply(0, Map.of("free", new float[] {3}, "held", new float[] {-4}));
      requireValues(model, "free", 2.5);
      requireValues(model, "held", 0);
    }
  }

  @Test
  void limitsValuesAfterTheUpdate() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", Shape.of(3), 1, 1, 1);
      Variable b = model.declare("b", Shape.scalar(), 1);
      model.build(0, 1, descent("gates", 1, a).withValueLimit(2.5), descent("others", 1, b));
      model.apply(0, Map.of("a", new float[] {9, -9, 0.5f}, "b", new float[] {9}));
      requireValues(model, "a", -2.5, 2.5, 0.5);
      requireValues(model, "b", -8);
    }
  }

  @Test
  void groupsHaveTheirOwnRates() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", Shape.scalar(), 0);
      Variable b = model.declare("b", Shape.scalar(), 0);
      ParameterGroup slowing =
          ParameterGroup.of(
              "slowing", List.of(b), OptimizerConfig.nag(10, 0), step -> step == 0 ? 1 : 0.5);
      model.build(0, 1, descent("steady", 0.1, a), slowing);
      Map<String, float[]> ones = Map.of("a", new float[] {1}, "b", new float[] {1});
      model.apply(0, ones);
      model.apply(1, ones);
      requireValues(model, "a", -0.2);
      requireValues(model, "b", -15);
      assertThat(model.feeds.all().keySet())
          .containsExactly(
              "optimizer/steady/learning_rate",
              "optimizer/steady/velocity_scale",
              "optimizer/slowing/learning_rate",
              "optimizer/slowing/velocity_scale");
    }
  }

  @Test
  void decaysMatricesOnly() {
    try (FedGradients model = new FedGradients()) {
      Variable kernel = model.declare("kernel", Shape.of(1, 2), 1, -2);
      Variable bias = model.declare("bias", PAIR, 1, -2);
      Variable scale = model.declare("scale", Shape.scalar(), 1);
      OptimizerConfig config = OptimizerConfig.adamW(0.5).withWeightDecay(0.2);
      model.build(
          0,
          1,
          ParameterGroup.of("all", List.of(kernel, bias, scale), config, Schedule.constant()));
      model.apply(0, Map.of("kernel", new float[2], "bias", new float[2], "scale", new float[1]));
      requireValues(model, "kernel", 0.9, -1.8);
      requireValues(model, "bias", 1, -2);
      requireValues(model, "scale", 1);
    }
  }

  @Test
  void slotsAreNamedAfterTheirVariables() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("layer/a", Shape.scalar(), 0);
      Variable b = model.declare("layer/b", Shape.scalar(), 0);
      ParameterGroup adam =
          ParameterGroup.of("adam", List.of(a), OptimizerConfig.adamW(0.1), Schedule.constant());
      model.build(0, 2, adam, descent("nag", 1, b));
      assertThat(model.catalog.of(VariableGroup.OPTIMIZER).stream().map(Variable::name))
          .containsExactly(
              "optimizer/layer/a/gradient_sum",
              "optimizer/layer/b/gradient_sum",
              "optimizer/layer/a/m",
              "optimizer/layer/a/v",
              "optimizer/layer/b/momentum");
      assertThat(model.feeds.all().keySet())
          .contains(
              "optimizer/adam/learning_rate",
              "optimizer/adam/beta1_power",
              "optimizer/adam/beta2_power");
    }
  }

  @Test
  void namesAVariableThatTheLossDoesNotReach() {
    try (Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Variable used = declare(catalog, "used");
      Variable unused = declare(catalog, "layer/unused");
      assertThatThrownBy(() -> build(tf, graph, catalog, tf.nn.l2Loss(used.read()), used, unused))
          .isInstanceOf(GraphMismatchException.class)
          .hasMessageContaining("'layer/unused'")
          .hasMessageNotContaining("'used'");
    }
  }

  @Test
  void namesAVariableBehindAStoppedGradient() {
    try (Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Variable used = declare(catalog, "used");
      Variable stopped = declare(catalog, "layer/stopped");
      Operand<TFloat32> loss =
          tf.math.add(tf.nn.l2Loss(used.read()), tf.nn.l2Loss(tf.stopGradient(stopped.read())));
      assertThatThrownBy(() -> build(tf, graph, catalog, loss, used, stopped))
          .isInstanceOf(GraphMismatchException.class)
          .hasMessageContaining("'layer/stopped'");
    }
  }

  @Test
  void explainsAnOpWithoutAGradient() {
    try (Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Variable used = declare(catalog, "used");
      Operand<TFloat32> loss = tf.nn.l2Loss(tf.math.erfc(used.read()));
      assertThatThrownBy(() -> build(tf, graph, catalog, loss, used))
          .isInstanceOf(GraphMismatchException.class)
          .hasMessageContaining("Erfc");
    }
  }

  @Test
  void refusesWhatCannotBeMeant() {
    try (FedGradients model = new FedGradients()) {
      Variable a = model.declare("a", Shape.scalar(), 0);
      Variable b = model.declare("b", Shape.scalar(), 0);
      assertThatThrownBy(() -> model.build(0, 1, descent("x", 1, a), descent("x", 1, b)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("'x'");
      assertThatThrownBy(() -> model.build(0, 1, descent("x", 1, a), descent("y", 1, a)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("'a'");
      assertThatThrownBy(() -> model.build(-1, 1, descent("x", 1, a)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("clipNorm");
      assertThatThrownBy(() -> model.build(0, 0, descent("x", 1, a)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("accumulationSteps");
      assertThatThrownBy(() -> model.build(0, 1)).isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> descent("x", 1)).isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> descent("x/y", 1, a)).isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> descent("x", 1, a).withValueLimit(-1))
          .isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> OptimizerConfig.adamW(-1)).isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> OptimizerConfig.nag(1, 1)).isInstanceOf(ConfigException.class);
      assertThatThrownBy(() -> OptimizerConfig.adamW(1).withWeightDecay(Double.NaN))
          .isInstanceOf(ConfigException.class);
    }
  }

  private static Variable declare(VariableCatalog catalog, String name) {
    return catalog.declare(name, PAIR, Initializer.ones(), VariableGroup.MODEL);
  }

  private static UpdateOps build(
      Ops tf, Graph graph, VariableCatalog catalog, Operand<TFloat32> loss, Variable... variables) {
    return UpdateOps.build(
        tf, graph, catalog, new ScalarFeeds(tf), loss, List.of(descent("all", 1, variables)), 0, 1);
  }

  private static void requireValues(FedGradients model, String name, double... expected) {
    float[] actual = model.value(name);
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i]).as("%s[%d]", name, i).isCloseTo(expected[i], within(1e-6));
    }
  }
}
