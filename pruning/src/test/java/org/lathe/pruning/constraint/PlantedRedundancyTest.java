package org.lathe.pruning.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.budget.ExpectedSizeOps;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateSet;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.HardConcrete;
import org.lathe.pruning.gates.InitialLogAlpha;
import org.lathe.training.loop.Sessions;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.UpdateOps;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * A residual stack whose answer is known: in layers 0, 2 and 5 sixteen of 64 units matter, every
 * other unit is a decoy of amplitude 0.02. Gates, constraint and optimizer together must find
 * exactly the units that matter, which are the 12.5 % that the target leaves. Weights are frozen.
 */
class PlantedRedundancyTest {
  private static final int NUM_LAYERS = 6;
  private static final int WIDTH = 32;
  private static final int UNITS = 64;
  private static final int NUM_USEFUL = 16;
  private static final Set<Integer> USEFUL_LAYERS = Set.of(0, 2, 5);
  private static final double DECOY = 0.02;
  private static final double TARGET = 0.875;
  private static final int BATCH = 32;
  private static final int STEPS = 600;
  private static final int RAMP_STEPS = 240;
  private static final TransformerConfig SHAPES =
      TransformerConfig.uniform(2, WIDTH, NUM_LAYERS, 1, UNITS, 1);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void findsTheUnitsThatMatter(int seed) {
    Random random = new Random(seed);
    boolean[][] planted = plant(random);
    try (Graph graph = new Graph();
        Session session = Sessions.open(graph, 1)) {
      Ops tf = Ops.create(graph);
      VariableCatalog catalog = new VariableCatalog(tf, seed);
      ScalarFeeds feeds = new ScalarFeeds(tf);
      GateSet gates =
          GateSet.sampled(
              tf,
              catalog,
              SHAPES,
              EnumSet.of(GateKind.INTERMEDIATE, GateKind.FEED_FORWARD_LAYER),
              InitialLogAlpha.of(2),
              seed,
              feeds.step());
      Operand<TFloat32> inputs =
          tf.random.statelessRandomNormal(
              tf.constant(new int[] {BATCH, WIDTH}),
              tf.stack(List.of(tf.constant(seed), feeds.step())),
              TFloat32.class);
      Operand<TFloat32> error = relativeError(tf, inputs, planted, gates, random);
      ExpectedSizeOps sizes = ExpectedSizeOps.of(tf, SHAPES, gates);
      Operand<TFloat32> left =
          tf.reduceSum(tf.math.mul(sizes.feedForwardLayer(), sizes.units()), tf.constant(0));
      Operand<TFloat32> sparsity =
          tf.math.sub(tf.constant(1f), tf.math.mul(left, tf.constant(1f / (NUM_LAYERS * UNITS))));
      Lagrangian lagrangian = new Lagrangian(catalog);
      Operand<TFloat32> goal = Lagrangian.target(feeds, new TargetRamp(TARGET, 0, RAMP_STEPS));
      UpdateOps update =
          UpdateOps.build(
              tf,
              graph,
              catalog,
              feeds,
              tf.math.add(error, lagrangian.loss(tf, sparsity, goal)),
              groups(catalog),
              0,
              1);
      WeightTransfer state = new WeightTransfer(tf, catalog.all());
      state.initialize(session);
      double reached = 0;
      for (int step = 0; step < STEPS; step++) {
        reached = advance(session, feeds, update, sparsity, step);
      }
      assertThat(reached).isCloseTo(TARGET, within(0.01));
      assertFound(GateLogits.from(SHAPES, state.fetch(session)), planted);
    }
  }

  private static void assertFound(GateLogits logits, boolean[][] planted) {
    GateValues gates = GateValues.deterministic(logits);
    int numFound = 0;
    int numKept = 0;
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      boolean present = gates.feedForwardLayer()[layer] > 0;
      assertThat(present).as("layer %s is left", layer).isEqualTo(USEFUL_LAYERS.contains(layer));
      for (int unit = 0; unit < UNITS && present; unit++) {
        if (gates.intermediate()[layer][unit] > 0) {
          numKept++;
          numFound += planted[layer][unit] ? 1 : 0;
        }
      }
    }
    int numUseful = NUM_USEFUL * USEFUL_LAYERS.size();
    assertThat((double) numFound / numUseful).as("recall").isGreaterThanOrEqualTo(0.95);
    assertThat(numFound).as("precision 1: of the kept units, those that matter").isEqualTo(numKept);
  }

  private static boolean[][] plant(Random random) {
    boolean[][] planted = new boolean[NUM_LAYERS][UNITS];
    for (int layer : USEFUL_LAYERS) {
      random.ints(0, UNITS).distinct().limit(NUM_USEFUL).forEach(i -> planted[layer][i] = true);
    }
    return planted;
  }

  /** Squared error of the gated stack's change of its input, over the square of that change. */
  private static Operand<TFloat32> relativeError(
      Ops tf, Operand<TFloat32> inputs, boolean[][] planted, GateSet gates, Random random) {
    Operand<TFloat32> original = inputs;
    Operand<TFloat32> gated = inputs;
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      float[] up = new float[WIDTH * UNITS];
      float[] down = new float[UNITS * WIDTH];
      for (int i = 0; i < up.length; i++) {
        double amplitude = planted[layer][i / WIDTH] ? 1 : DECOY;
        up[i] = (float) (random.nextGaussian() / Math.sqrt(WIDTH));
        down[i] = (float) (amplitude * random.nextGaussian() / Math.sqrt(NUM_USEFUL));
      }
      Operand<TFloat32> upKernel =
          tf.constant(Shape.of(WIDTH, UNITS), DataBuffers.of(up, true, false));
      Operand<TFloat32> downKernel =
          tf.constant(Shape.of(UNITS, WIDTH), DataBuffers.of(down, true, false));
      Operand<TFloat32> units = tf.nn.relu(tf.linalg.matMul(original, upKernel));
      original = tf.math.add(original, tf.linalg.matMul(units, downKernel));
      Operand<TFloat32> gatedUnits =
          tf.math.mul(tf.nn.relu(tf.linalg.matMul(gated, upKernel)), gates.intermediate(layer));
      Operand<TFloat32> change =
          tf.math.mul(tf.linalg.matMul(gatedUnits, downKernel), gates.feedForwardLayer(layer));
      gated = tf.math.add(gated, change);
    }
    return tf.math.div(
        tf.nn.l2Loss(tf.math.sub(gated, original)), tf.nn.l2Loss(tf.math.sub(original, inputs)));
  }

  private static List<ParameterGroup> groups(VariableCatalog catalog) {
    return List.of(
        ParameterGroup.of(
                "gates",
                catalog.of(VariableGroup.GATE),
                OptimizerConfig.adamW(0.1),
                Schedule.constant())
            .unclipped()
            .withValueLimit(HardConcrete.LOG_ALPHA_LIMIT),
        ParameterGroup.of(
                "multipliers",
                catalog.of(VariableGroup.MULTIPLIER),
                OptimizerConfig.adamW(0.1),
                Schedule.constant())
            .unclipped()
            .ascending()
            .withValueLimit(Lagrangian.MULTIPLIER_LIMIT));
  }

  /** One update; the expected sparsity before it. */
  private static double advance(
      Session session, ScalarFeeds feeds, UpdateOps update, Operand<TFloat32> sparsity, int step) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      Session.Runner runner = session.runner().addTarget(update.apply().op()).fetch(sparsity);
      tensors.add(TInt32.scalarOf(step));
      runner.feed(feeds.step(), tensors.get(0));
      for (ScalarFeeds.Feed feed : feeds.all().values()) {
        tensors.add(TFloat32.scalarOf((float) feed.valueAtStep().applyAsDouble(step)));
        runner.feed(feed.placeholder(), tensors.get(tensors.size() - 1));
      }
      try (Result result = runner.run()) {
        return Evaluate.floats((TFloat32) result.get(0))[0];
      }
    } finally {
      tensors.forEach(Tensor::close);
    }
  }
}
