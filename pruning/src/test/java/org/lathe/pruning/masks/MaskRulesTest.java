package org.lathe.pruning.masks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.plan.UnitRanking;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.TestSession;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Masks and their gradients against plain Java on kernels of one layer, under the loss sum (C W' +
 * W'^2 / 2), so that dL/dW' = C + W' is not 0 where W' is.
 */
class MaskRulesTest {
  /** Two heads of 6 on 12 dimensions, 5 units. */
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(4, 12, 1, 2, 5, 4);

  private static final PrunableKernels KERNELS = new PrunableKernels(CONFIG, "encoder");
  private static final String SCORES = MaskRule.SCORE_PREFIX;
  private static final String UNITS = "encoder/layer_0/feed_forward/units";

  /** What one step of a rule gives: by kernel values and gradients, and metrics. */
  private record Step(
      Map<String, double[]> masked,
      Map<String, double[]> weightGradients,
      Map<String, double[]> scoreGradients,
      double penalty,
      Map<String, Double> metrics) {}

  /** Heads of 64 on 128 dimensions: 4 x 2 blocks of query, key and value each. */
  @Test
  void aHeadIsWorthItsBestBlockInTheLeastOfQueryKeyAndValue() {
    TransformerConfig config = TransformerConfig.uniform(4, 128, 1, 2, 2, 4);
    String layer = SCORES + "encoder/layer_0/";
    Weights learned =
        new Weights().put(layer + "feed_forward/units", Shape.of(1, 2), new float[] {7, 1});
    float[][] ofHeads = {{5, 1}, {2, 4}, {3, 6}};
    for (int i = 0; i < ofHeads.length; i++) {
      float[] scores = new float[16];
      Arrays.fill(scores, -3);
      scores[i * 4] = ofHeads[i][0]; // columns 0 and 1 are of head 0
      scores[i * 4 + 3] = ofHeads[i][1];
      String word = List.of("query", "key", "value").get(i);
      learned.put(layer + "attention/" + word + "/kernel", Shape.of(4, 4), scores);
    }
    UnitRanking found = BlockMasks.unitScores(new PrunableKernels(config, "encoder"), learned);
    assertThat(found.heads()[0]).containsExactly(2, 1);
    assertThat(found.units()[0]).containsExactly(7, 1);
  }

  @ParameterizedTest
  @CsvSource({"MAGNITUDE, 2", "MAGNITUDE, 5", "MAGNITUDE, 9", "MOVEMENT, 5", "MOVEMENT, 9"})
  void globalMasksKeepTheLargestScores(GlobalMasks.Criterion criterion, int atStep) {
    Weights weights = kernels(new Random(3));
    boolean movement = criterion == GlobalMasks.Criterion.MOVEMENT;
    Random random = new Random(4);
    if (movement) {
      KERNELS.names().forEach(name -> put(weights, SCORES + name, shape(name), random));
    }
    GlobalMasks rule = new GlobalMasks(criterion, 0.7, 2, 6);
    Step step = step(rule, weights, atStep);

    ToDoubleFunction<double[]> worth = place -> movement ? place[1] : Math.abs(place[0]);
    List<double[]> places = new ArrayList<>();
    for (String name : KERNELS.names()) {
      float[] w = weights.get(name).values();
      for (int i = 0; i < w.length; i++) {
        double score = movement ? weights.get(SCORES + name).values()[i] : 0;
        places.add(new double[] {w[i], score});
      }
    }
    double left = Math.max(0, 1 - (atStep - 2) / 6.0);
    double target = 0.7 * (1 - left * left * left);
    int numRemoved = (int) Math.rint(target * places.size());
    double bound =
        places.stream().mapToDouble(worth).sorted().skip(numRemoved).findFirst().orElseThrow();

    int next = 0;
    for (String name : KERNELS.names()) {
      float[] c = constants(name);
      double[] masked = step.masked.get(name);
      for (int i = 0; i < c.length; i++, next++) {
        double w = places.get(next)[0];
        double mask = worth.applyAsDouble(places.get(next)) >= bound ? 1 : 0;
        double upstream = c[i] + w * mask;
        assertThat(masked[i] + 0.0).isEqualTo(w * mask + 0.0);
        assertThat(step.weightGradients.get(name)[i]).isCloseTo(mask * upstream, within(1e-5));
        if (movement) {
          assertThat(step.scoreGradients.get(name)[i]).isCloseTo(w * upstream, within(1e-5));
        }
      }
    }
    assertThat(step.metrics.get("reduction"))
        .isCloseTo((double) numRemoved / places.size(), within(1e-6));
    assertThat(step.metrics.get("reductionTarget")).isCloseTo(target, within(1e-6));
    assertThat(step.scoreGradients.isEmpty()).isEqualTo(!movement);
    if (atStep >= 8) {
      Weights zeroed = rule.masks(KERNELS, weights).applyTo(weights);
      for (String name : KERNELS.names()) {
        assertThat(zeroed.get(name).values()).containsExactly(floats(step.masked.get(name)));
      }
      assertThat(KERNELS.zeroShare(zeroed)).isCloseTo(0.7, within(1e-3));
    }
  }

  /** Scores that have not moved are all equal: the number of zeros is kept nevertheless. */
  @Test
  void equalScoresGoInOrder() {
    Weights weights = kernels(new Random(3));
    KERNELS.names().forEach(name -> putZeros(weights, SCORES + name, shape(name)));
    GlobalMasks rule = new GlobalMasks(GlobalMasks.Criterion.MOVEMENT, 0.5, 0, 0);
    Weights zeroed = rule.masks(KERNELS, weights).applyTo(weights);
    assertThat(KERNELS.zeroShare(zeroed)).isEqualTo(0.5);
    float[] first = zeroed.get(KERNELS.names().get(0)).values();
    assertThat(first).containsOnly(0);
    assertThat(zeroed.get(KERNELS.names().get(5)).values()).doesNotContain(0);
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "3", "8"})
  void blocksShareAMaskThatIsOpenAboveTheThreshold(int atStep) {
    Random random = new Random(5);
    Weights weights = kernels(random);
    KERNELS
        .names()
        .forEach(name -> putScores(weights, name, () -> 4 * random.nextGaussian() - 1.5));
    double lambda = 10;
    Step step = step(new BlockMasks(lambda, 1, 6), weights, atStep);
    double left = Math.min(1, Math.max(0, 1 - (atStep - 1) / 6.0));
    double threshold = 0.1 * (1 - left * left * left);

    Map<String, double[]> scoreGradients = new LinkedHashMap<>();
    double closed = 0;
    double all = 0;
    for (String name : KERNELS.names()) {
      int columns = (int) shape(name).get(1);
      int[] grid = grid(name); // rows and columns of blocks
      int rows = (int) shape(name).get(0);
      float[] w = weights.get(name).values();
      float[] c = constants(name);
      float[] scores = weights.get(SCORES + scoreName(name)).values();
      double bestOpen = 0;
      for (float s : scores) {
        bestOpen = Math.max(bestOpen, sigmoid(s));
      }
      double[] gradients =
          scoreGradients.computeIfAbsent(scoreName(name), key -> new double[scores.length]);
      for (int i = 0; i < w.length; i++) {
        int block = i / columns * grid[0] / rows * grid[1] + i % columns * grid[1] / columns;
        double open = sigmoid(scores[block]);
        double mask = open > threshold || open == bestOpen ? 1 : 0;
        double upstream = c[i] + w[i] * mask;
        assertThat(step.masked.get(name)[i] + 0.0).as(name + i).isEqualTo(w[i] * mask + 0.0);
        assertThat(step.weightGradients.get(name)[i]).isCloseTo(mask * upstream, within(1e-5));
        gradients[block] += w[i] * upstream;
        closed += 1 - mask;
        all++;
      }
    }
    double penalty = 0;
    for (String name : scoreGradients.keySet()) {
      float[] scores = weights.get(SCORES + name).values();
      // half for the four attention kernels, half for the only feed-forward layer
      double share = (name.equals(UNITS) ? 0.5 : 0.5 / 4) * lambda * threshold / 0.1;
      for (int i = 0; i < scores.length; i++) {
        double open = sigmoid(scores[i]);
        penalty += share * open / scores.length;
        double expected = scoreGradients.get(name)[i] + share / scores.length * open * (1 - open);
        assertThat(step.scoreGradients.get(name)[i])
            .as(name + " block " + i)
            .isCloseTo(expected, within(1e-4));
      }
    }
    assertThat(step.scoreGradients).hasSameSizeAs(scoreGradients);
    assertThat(step.penalty).isCloseTo(penalty, within(1e-5));
    assertThat(step.metrics.get("reduction")).isCloseTo(closed / all, within(1e-6));
    assertThat(closed > 0).isEqualTo(atStep > 1);
  }

  @Test
  void someBlocksOfAKernelAlwaysStay() {
    Weights weights = kernels(new Random(3));
    for (String name : KERNELS.names()) {
      putScores(weights, name, () -> -20);
      float[] scores = weights.get(SCORES + scoreName(name)).values();
      scores[scores.length - 1] = -10;
    }
    Step step = step(new BlockMasks(1, 0, 0), weights, 0);
    for (String name : KERNELS.names()) {
      double[] masked = step.masked.get(name);
      assertThat(masked[masked.length - 1]).isNotZero();
      assertThat(masked[0]).isZero();
    }
  }

  @Test
  void edgesOfAttentionBlocksDivideTheirHead() {
    TransformerConfig large = TransformerConfig.uniform(4, 312, 1, 6, 8, 4);
    BlockGrid query =
        BlockGrid.of(large, "encoder/layer_0/attention/query/kernel", Shape.of(312, 312));
    assertThat(query).isEqualTo(new BlockGrid(12, 26, 12, 26)); // heads of 52
    TransformerConfig base = TransformerConfig.uniform(4, 768, 1, 12, 8, 4);
    assertThat(BlockGrid.of(base, "encoder/layer_0/attention/output/kernel", Shape.of(768, 768)))
        .isEqualTo(new BlockGrid(24, 32, 24, 32));
  }

  private static Step step(MaskRule rule, Weights weights, long atStep) {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      ScalarFeeds feeds = new ScalarFeeds(tf);
      for (String name : KERNELS.names()) {
        catalog.declare(name, shape(name), Initializer.zeros(), VariableGroup.MODEL);
      }
      MaskRule.Installed installed =
          rule.install(new TrainingTask.Site(tf, catalog, feeds, 1, 1, 1), KERNELS);
      List<Operand<TFloat32>> terms = new ArrayList<>();
      for (String name : KERNELS.names()) {
        Operand<TFloat32> value = catalog.get(name).value();
        Operand<TFloat32> c =
            tf.constant(shape(name), DataBuffers.of(constants(name), true, false));
        terms.add(
            MaskOps.sum(
                tf,
                tf.math.add(
                    tf.math.mul(c, value), tf.math.mul(tf.constant(0.5f), tf.math.square(value)))));
      }
      Operand<TFloat32> penalty =
          installed.penalty() == null ? tf.constant(0f) : installed.penalty();
      terms.add(penalty);
      Operand<TFloat32> loss = tf.math.addN(terms);
      List<Operand<TFloat32>> fetches = new ArrayList<>();
      List<Variable> scores = catalog.of(VariableGroup.GATE);
      KERNELS.names().forEach(name -> fetches.add(catalog.get(name).value()));
      for (String name : KERNELS.names()) {
        fetches.add(Evaluate.gradient(tf, loss, catalog.get(name).read()));
      }
      scores.forEach(score -> fetches.add(Evaluate.gradient(tf, loss, score.read())));
      fetches.add(penalty);
      fetches.addAll(installed.metrics().values());
      new WeightTransfer(tf, catalog.all()).assign(session.session(), weights, "test");
      Feeds fed = Feeds.none();
      for (ScalarFeeds.Feed feed : feeds.all().values()) {
        fed.scalar(feed.placeholder(), feed.valueAtStep().applyAsDouble(atStep));
      }
      List<double[]> values = session.evaluateAll(fetches, fed);
      Map<String, double[]> masked = new LinkedHashMap<>();
      Map<String, double[]> weightGradients = new LinkedHashMap<>();
      Map<String, double[]> scoreGradients = new LinkedHashMap<>();
      int next = 0;
      for (String name : KERNELS.names()) {
        masked.put(name, values.get(next++));
      }
      for (String name : KERNELS.names()) {
        weightGradients.put(name, values.get(next++));
      }
      for (Variable score : scores) {
        scoreGradients.put(score.name().substring(SCORES.length()), values.get(next++));
      }
      double paid = values.get(next++)[0];
      Map<String, Double> metrics = new LinkedHashMap<>();
      for (String name : installed.metrics().keySet()) {
        metrics.put(name, values.get(next++)[0]);
      }
      return new Step(masked, weightGradients, scoreGradients, paid, metrics);
    }
  }

  private static Weights kernels(Random random) {
    Weights weights = new Weights();
    KERNELS.names().forEach(name -> put(weights, name, shape(name), random));
    return weights;
  }

  private static void put(Weights weights, String name, Shape shape, Random random) {
    float[] values = new float[(int) shape.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    weights.put(name, shape, values);
  }

  private static void putScores(Weights weights, String kernel, DoubleSupplier value) {
    int[] grid = grid(kernel);
    float[] scores = new float[grid[0] * grid[1]];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) value.getAsDouble();
    }
    boolean ofUnits = scoreName(kernel).equals(UNITS);
    Shape shape = ofUnits ? Shape.of(1, scores.length) : Shape.of(grid[0], grid[1]);
    weights.put(SCORES + scoreName(kernel), shape, scores);
  }

  /** Up and down share theirs. */
  private static String scoreName(String kernel) {
    return kernel.contains("/feed_forward/") ? UNITS : kernel;
  }

  private static void putZeros(Weights weights, String name, Shape shape) {
    weights.put(name, shape, new float[(int) shape.size()]);
  }

  private static float[] constants(String name) {
    Weights holder = new Weights();
    put(holder, name, shape(name), new Random(name.hashCode()));
    return holder.get(name).values();
  }

  private static Shape shape(String name) {
    if (name.contains("/up/")) {
      return Shape.of(12, 5);
    }
    return name.contains("/down/") ? Shape.of(5, 12) : Shape.of(12, 12);
  }

  /** Rows and columns of blocks: 12 dimensions in one, heads of 6 in one each, units alone. */
  private static int[] grid(String name) {
    if (name.contains("/up/")) {
      return new int[] {1, 5};
    }
    if (name.contains("/down/")) {
      return new int[] {5, 1};
    }
    return name.contains("/output/") ? new int[] {2, 1} : new int[] {1, 2};
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i] + 0f; // no -0
    }
    return floats;
  }
}
