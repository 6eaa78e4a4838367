package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.reference.ReferenceDecoder;
import org.lathe.graphs.reference.ReferenceMemory;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** TRIME's objective over q = k = LayerNorm(g W), s = q . k / sqrt(P), against loops in doubles. */
class LearnedKeysTest {
  private static final int V = 7;
  private static final int D = 8;
  private static final int P = 3;
  private static final int LENGTH = 5;
  private static final String KERNEL = "decoder/memory/projection/kernel";
  private static final double DIFFERENCE = 1e-5;

  /** Words repeat within and between segments; two of each group are similar. */
  private static final int[][] INPUTS = {
    {3, 1, 4, 1, 5}, {1, 4, 1, 5, 3}, {2, 6, 2, 0, 2}, {6, 2, 0, 2, 1}
  };

  private static final int[] TARGETS = {1, 4, 1, 5, 3, 4, 1, 5, 3, 1, 6, 2, 0, 2, 6, 2, 0, 2, 1, 4};

  /** Smooth, so that finite differences step over no corner. */
  private static TransformerConfig config() {
    return TransformerConfig.uniform(V, D, 2, 2, 12, 6)
        .withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.GELU, true, true)
        .withKeySize(P);
  }

  private static MemoryConfig memory(MemoryObjective objective) {
    int perGroup = objective == MemoryObjective.LOCAL ? 0 : 2;
    return new MemoryConfig(
        objective, MemoryConfig.of(objective, config().tapWidth()).scoreScale(), 0, perGroup);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void lossEqualsTheEquations(MemoryObjective objective) {
    try (DecoderBench bench = new DecoderBench(config(), 31)) {
      double[] kernel = weight(bench, KERNEL);
      double expected = new Reference(bench, objective).loss(kernel, kernel);
      double[] found = bench.session.evaluate(loss(bench, memory(objective)), bench.feeds(INPUTS));
      assertThatTensor(found).isCloseTo(new double[] {expected}, 1e-5);
    }
  }

  /** dL/dW is what reaches W through the queries and through the keys; neither part may be lost. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void theProjectionLearnsAsQueryAndAsKey(MemoryObjective objective) {
    try (DecoderBench bench = new DecoderBench(config(), 32)) {
      Reference reference = new Reference(bench, objective);
      double[] kernel = weight(bench, KERNEL);
      double[] asQuery = new double[kernel.length];
      double[] asKey = new double[kernel.length];
      for (int i = 0; i < kernel.length; i++) {
        double[] above = kernel.clone();
        double[] below = kernel.clone();
        above[i] += DIFFERENCE;
        below[i] -= DIFFERENCE;
        asQuery[i] =
            (reference.loss(above, kernel) - reference.loss(below, kernel)) / (2 * DIFFERENCE);
        asKey[i] =
            (reference.loss(kernel, above) - reference.loss(kernel, below)) / (2 * DIFFERENCE);
      }
      double[] both = new double[kernel.length];
      Arrays.setAll(both, i -> asQuery[i] + asKey[i]);
      Output<?>[] with = {bench.catalog.get(KERNEL).read().asOutput()};
      Output<?> gradient =
          bench.session.graph().addGradients(loss(bench, memory(objective)).asOutput(), with)[0];
      double[] found = bench.session.evaluateAll(List.of(gradient), bench.feeds(INPUTS)).get(0);
      assertThatTensor(found).isCloseTo(both, 1e-5);
      assertThatTensor(found).differsFrom(asQuery, 1e-3);
      assertThatTensor(found).differsFrom(asKey, 1e-3);
    }
  }

  /** The projection, its norm, and every variable below, which learns through it. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void gradientsEqualFiniteDifferences(MemoryObjective objective) {
    try (DecoderBench bench = new DecoderBench(config(), 33)) {
      GradientCheck check =
          GradientCheck.of(bench.session, loss(bench, memory(objective)))
              .fixed(bench.feeds(INPUTS));
      for (Variable variable : bench.catalog.of(VariableGroup.MODEL)) {
        check.input(variable.read(), variable.shape(), weight(bench, variable.name()));
      }
      check.coordinates(2).verify();
    }
  }

  /** As training starts, scores lie within sqrt(P) and are not all small. */
  @Test
  void keysStartWithTheLengthThatTheScaleExpects() {
    try (DecoderBench bench = new DecoderBench(config(), 34)) {
      Ops tf = bench.session.tf();
      Operand<TFloat32> keys = bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE).tapNP();
      Output<?>[] initial = {keys.asOutput()};
      double[] found = bench.session.evaluateAll(List.of(initial), bench.unfed(INPUTS)).get(0);
      for (int t = 0; t < TARGETS.length; t++) {
        double squared = 0;
        for (int p = 0; p < P; p++) {
          squared += found[t * P + p] * found[t * P + p];
        }
        assertThat(memory(MemoryObjective.LOCAL).scoreScale() * squared)
            .isCloseTo(Math.sqrt(P), within(1e-2));
      }
    }
  }

  /** Names are checkpoint keys; without a key size there is no more than there was. */
  @Test
  void itsVariablesBelongToTheModel() {
    try (TestSession session = new TestSession()) {
      VariableCatalog with = new VariableCatalog(session.tf(), 1);
      VariableCatalog without = new VariableCatalog(session.tf(), 1);
      new DecoderLanguageModel(with, config());
      new DecoderLanguageModel(without, config().withKeySize(0));
      List<String> more = new ArrayList<>(describe(with));
      more.removeAll(describe(without));
      assertThat(more)
          .containsExactly(
              KERNEL + " [8, 3] MODEL",
              "decoder/memory/norm/gain [3] MODEL",
              "decoder/memory/norm/bias [3] MODEL");
    }
  }

  @Test
  void recurrentModelsHaveNone() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      assertThatThrownBy(
              () -> new RecurrentLanguageModel(catalog, config(), RecurrenceConfig.of(4)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("memory.keySize");
    }
  }

  private static List<String> describe(VariableCatalog catalog) {
    return catalog.all().stream()
        .map(v -> v.name() + " " + Arrays.toString(v.shape().asArray()) + " " + v.group())
        .toList();
  }

  private static double[] weight(DecoderBench bench, String name) {
    return Objects.requireNonNull(bench.weights.get(name));
  }

  private static Operand<TFloat32> loss(DecoderBench bench, MemoryConfig memory) {
    Ops tf = bench.session.tf();
    DecoderLanguageModel.Output output =
        bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE);
    return LanguageModelLoss.of(
            tf,
            bench
                .model
                .head()
                .target(tf, output.outputND(), tf.constant(TARGETS), Gates.NONE, Dropout.NONE),
            output.tapNP(),
            tf.constant(TARGETS),
            memory,
            new LanguageModelLoss.MemorySwitches(tf.constant(0f), tf.constant(0f)),
            INPUTS.length,
            LENGTH,
            P)
        .meanLoss();
  }

  /** The objective in doubles, with a projection of its own for queries and for keys. */
  private static final class Reference {
    private final DecoderBench bench;
    private final MemoryConfig memory;
    private final List<double[]> tap = new ArrayList<>();
    private final List<double[]> logits = new ArrayList<>();

    Reference(DecoderBench bench, MemoryObjective objective) {
      this.bench = bench;
      this.memory = memory(objective);
      ReferenceDecoder decoder = new ReferenceDecoder(config().withKeySize(0), bench.weights);
      for (int[] input : INPUTS) {
        ReferenceDecoder.Output output = decoder.call(input);
        tap.addAll(List.of(output.tap()));
        logits.addAll(List.of(output.logits()));
      }
    }

    /** Mean of -ln [e^a_y + sum_{y_j = y} e^s_j] / [sum_w e^a_w + sum_j e^s_j]. */
    double loss(double[] queryKernel, double[] keyKernel) {
      double[][] queries = normed(queryKernel);
      double[][] keys = normed(keyKernel);
      double sum = 0;
      for (int t = 0; t < TARGETS.length; t++) {
        double all = 0;
        for (double logit : logits.get(t)) {
          all += Math.exp(logit);
        }
        double right = Math.exp(logits.get(t)[TARGETS[t]]);
        for (int j = 0; j < TARGETS.length; j++) {
          if (ReferenceMemory.visible(memory, true, LENGTH, t, j)) {
            double score = 0;
            for (int p = 0; p < P; p++) {
              score += queries[t][p] * keys[j][p] / Math.sqrt(P);
            }
            all += Math.exp(score);
            right += TARGETS[j] == TARGETS[t] ? Math.exp(score) : 0;
          }
        }
        sum -= Math.log(right / all);
      }
      return sum / TARGETS.length;
    }

    private double[][] normed(double[] kernel) {
      double[][] keys = ReferenceDecoder.project(tap.toArray(new double[0][]), kernel, P);
      for (int t = 0; t < keys.length; t++) {
        keys[t] =
            ReferenceDecoder.layerNorm(
                keys[t],
                weight(bench, "decoder/memory/norm/gain"),
                weight(bench, "decoder/memory/norm/bias"),
                config().normEpsilon());
      }
      return keys;
    }
  }
}
