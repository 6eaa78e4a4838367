package org.lathe.pruning.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.MemoryStorage;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateSet;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.InitialLogAlpha;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

class BudgetTest {
  private static final TransformerConfig BERT =
      TransformerConfig.uniform(30522, 768, 12, 12, 3072, 512);
  private static final TransformerConfig TINY = TransformerConfig.uniform(11, 8, 2, 4, 16, 6);
  private static final LatencyTable TABLE =
      new LatencyTable(
          1,
          128,
          8,
          List.of(0.0, 1.0, 3.0, 3.5, 6.0),
          List.of(0, 4, 8, 16),
          List.of(0.0, 2.0, 2.5, 8.0),
          3,
          0.25);

  private static GateLogits all(float fine, float intermediate, float layers, float hidden) {
    Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);
    for (GateKind kind : GateKind.values()) {
      float[] logits = new float[(int) kind.shape(BERT).size()];
      float value =
          switch (kind) {
            case HIDDEN -> hidden;
            case HEADS -> fine;
            case INTERMEDIATE -> intermediate;
            case ATTENTION_LAYER, FEED_FORWARD_LAYER -> layers;
          };
      Arrays.fill(logits, value);
      values.put(kind, logits);
    }
    return new GateLogits(BERT, values);
  }

  @Test
  void bertBaseHasThePublishedCountAndCloseSparsities() {
    assertThat(ParameterCount.count(BERT)).isEqualTo(85_017_600L);
    // published values scale biases with all gates and leave some out: within 0.001 of ours
    assertThat(sparsity(all(10, 0, 10, 10))).isCloseTo(.11257, within(1e-3));
    assertThat(sparsity(all(4.605f, 4.605f, 4.605f, 4.605f))).isCloseTo(.00658, within(1e-3));
    assertThat(sparsity(all(0, 0, 0, 0))).isCloseTo(.42475, within(1e-3));
    assertThat(sparsity(all(-4.605f, -4.605f, 10, 10))).isCloseTo(.95309, within(1e-3));
    // ours exactly, from separate arithmetic: p^3 on kernels, p^2 on inner and outer biases
    double p = 1 / (1 + Math.exp(-1.598597));
    double kernels = 12.0 * (4 * 768 * 768 + 2 * 768 * 3072);
    double biases = 12.0 * (3 * 768 + 768 + 3072 + 768);
    assertThat(sparsity(all(0, 0, 0, 0)))
        .isCloseTo(1 - (p * p * p * kernels + p * p * biases) / 85_017_600, within(1e-6));
  }

  private static double sparsity(GateLogits logits) {
    return ParameterCount.sparsity(BERT, ExpectedSizes.of(logits));
  }

  @Test
  void opsPlainJavaAndIntegersAgree() {
    Random random = new Random(4);
    Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);
    Weights weights = new Weights();
    for (GateKind kind : GateKind.values()) {
      float[] logits = new float[(int) kind.shape(TINY).size()];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = random.nextFloat() * 6 - 3;
      }
      values.put(kind, logits);
      weights.put(kind.variableName(), kind.shape(TINY), logits);
    }
    GateLogits logits = GateLogits.from(TINY, weights);
    PruningTarget sparsity = PruningTarget.sparsity(0.5);
    PruningTarget speedup = PruningTarget.speedup(2, java.util.List.of(TABLE), TINY);
    List<float[]> found =
        Evaluate.graph(
            (tf, catalog) -> {
              GateSet gates =
                  GateSet.sampled(
                      tf,
                      catalog,
                      TINY,
                      EnumSet.allOf(GateKind.class),
                      InitialLogAlpha.of(4),
                      1,
                      tf.constant(0));
              ExpectedSizeOps sizes = ExpectedSizeOps.of(tf, TINY, gates);
              Operand<TFloat32> s = sparsity.achieved(tf, TINY, sizes);
              Operand<TFloat32> t = speedup.achieved(tf, TINY, sizes);
              Operand<TFloat32> heads = catalog.get("gates/heads").read();
              Operand<TFloat32> hidden = catalog.get("gates/hidden").read();
              return List.of(
                  s,
                  t,
                  TABLE.expectedMs(tf, sizes),
                  Evaluate.gradient(tf, s, hidden),
                  Evaluate.gradient(tf, t, heads));
            },
            weights);
    ExpectedSizes sizes = ExpectedSizes.of(logits);
    assertThat((double) found.get(0)[0]).isCloseTo(sparsity.achieved(TINY, sizes), within(1e-6));
    assertThat((double) found.get(1)[0]).isCloseTo(speedup.achieved(TINY, sizes), within(1e-6));
    assertThat((double) found.get(2)[0]).isCloseTo(TABLE.expectedMs(sizes), within(1e-5));
    checkGradient(values, GateKind.HIDDEN, found.get(3), sparsity);
    checkGradient(values, GateKind.HEADS, found.get(4), speedup);

    GateValues deterministic = GateValues.deterministic(logits);
    TransformerConfig slim =
        org.lathe.pruning.plan.PruningPlan.from(TINY, deterministic).slimConfig();
    assertThat(ParameterCount.sparsity(TINY, ExpectedSizes.of(deterministic)))
        .isCloseTo(ParameterCount.sparsity(TINY, slim), within(1e-12));
  }

  private static void checkGradient(
      Map<GateKind, float[]> values, GateKind kind, float[] gradient, PruningTarget target) {
    float h = 1e-2f;
    for (int i = 0; i < gradient.length; i++) {
      double[] sides = new double[2];
      for (int side = 0; side < 2; side++) {
        Map<GateKind, float[]> moved = new EnumMap<>(values);
        float[] logits = values.get(kind).clone();
        logits[i] += side == 0 ? -h : h;
        moved.put(kind, logits);
        sides[side] = target.achieved(TINY, ExpectedSizes.of(new GateLogits(TINY, moved)));
      }
      assertThat((double) gradient[i]).isCloseTo((sides[1] - sides[0]) / (2 * h), within(2e-4));
    }
  }

  @Test
  void kindsWithoutGatesCountInFull() {
    List<float[]> found =
        Evaluate.graph(
            (tf, catalog) -> {
              GateSet gates =
                  GateSet.sampled(
                      tf,
                      catalog,
                      TINY,
                      EnumSet.of(GateKind.HEADS),
                      InitialLogAlpha.of(30),
                      1,
                      tf.constant(0));
              ExpectedSizeOps sizes = ExpectedSizeOps.of(tf, TINY, gates);
              return List.of(ParameterCount.sparsity(tf, TINY, sizes), TABLE.expectedMs(tf, sizes));
            });
    assertThat(found.get(0)[0]).isCloseTo(0, within(1e-6f));
    assertThat(found.get(1)[0]).isCloseTo(3 + 2 * (6 + 8), within(1e-5f));
    assertThat(TABLE.fullMs(TINY)).isEqualTo(31);
  }

  @Test
  void timesAreLinearBetweenMeasuredSizes() {
    ExpectedSizes half =
        new ExpectedSizes(
            4,
            new double[] {1.5, 0},
            new double[] {6, 16},
            new double[] {0.5, 1},
            new double[] {1, 0});
    // (0.5 * 2 + 2.25) * (0.25 + 0.75 * 0.5) + 3
    assertThat(TABLE.expectedMs(half)).isCloseTo(3.25 * 0.625 + 3, within(1e-12));
  }

  @Test
  void measuringSmoothsNoiseAndAsksForEverySize() {
    SublayerTimer timer =
        new SublayerTimer() {
          private int calls;
          private int otherCalls;
          private int wholeCalls;

          @Override
          public double attentionMs(TransformerConfig c, int batchSize, int length, int numHeads) {
            // the second measurement is disturbed
            return (++calls == 2 ? 10 : 1) * (numHeads == 3 ? 1.5 : numHeads);
          }

          @Override
          public double feedForwardMs(TransformerConfig c, int batchSize, int length, int width) {
            return width * 0.1;
          }

          @Override
          public double otherMs(TransformerConfig c, int batchSize, int length) {
            return ++otherCalls == 1 ? 0.7 : 0.5;
          }

          @Override
          public double wholeModelMs(TransformerConfig c, int batchSize, int length) {
            return (++wholeCalls == 2 ? 3 : 0) + 0.5 + 1.25 * TINY.numLayers() * (4 + 1.6);
          }
        };
    LatencyTable table = LatencyTable.measure(TINY, LatencyTable.Sizes.of(2, 6, TINY), timer);
    // in the whole model sublayers take 1.25 times what they take in a chain
    assertThat(table.attentionMs()).hasSize(5);
    double[] expected = {0, 1.25, 1.25 * 1.75, 1.25 * 1.75, 5};
    for (int i = 0; i < expected.length; i++) {
      assertThat(table.attentionMs().get(i)).isCloseTo(expected[i], within(1e-9));
    }
    assertThat(table.fullMs(TINY)).isCloseTo(0.5 + 1.25 * TINY.numLayers() * 5.6, within(1e-9));
    assertThat(table.feedForwardWidths()).containsExactly(0, 6, 8, 12, 16);
    assertThat(table.otherMs()).isEqualTo(0.5);
    assertThat(table.hiddenIndependentShare()).isEqualTo(1);
  }

  @Test
  void tablesSurviveAFile() throws Exception {
    MemoryStorage storage = new MemoryStorage();
    Path file = Path.of("dir", "table.json");
    LatencyTableFile.write(storage, file, TABLE);
    assertThat(LatencyTableFile.read(storage, file)).isEqualTo(TABLE);
    assertThat(storage.numFiles()).isEqualTo(1);
    String text = new String(storage.get(file), java.nio.charset.StandardCharsets.UTF_8);
    storage.put(file, text.replace("3.5", "3.6").getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertThatThrownBy(() -> LatencyTableFile.read(storage, file))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("sha256");
  }

  @Test
  void impossibleSpeedupsAreRefused() {
    assertThatThrownBy(() -> PruningTarget.speedup(11, java.util.List.of(TABLE), TINY))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("10.33");
    assertThatThrownBy(() -> PruningTarget.speedup(2, java.util.List.of(TABLE), BERT))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("hidden size");
    assertThatThrownBy(() -> PruningTarget.sparsity(1)).isInstanceOf(ConfigException.class);
  }
}
