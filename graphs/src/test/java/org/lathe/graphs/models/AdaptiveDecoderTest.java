package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.reference.ReferenceDecoder;
import org.lathe.graphs.reference.ReferenceMemory;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** A decoder over clusters of words against loops in doubles. */
class AdaptiveDecoderTest {
  private static final int V = 11;
  private static final int D = 8;

  /** Clusters of 4, 3 and 4 words; every one occurs. */
  private static final int[] INPUTS = {1, 5, 9, 1, 7, 3};

  private static final int[] TARGETS = {5, 9, 1, 10, 3, 5};

  private static TransformerConfig config(int factor, boolean tied, boolean tiedProjections) {
    return TransformerConfig.uniform(V, D, 2, 2, 12, 6)
        .withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.RELU, tied, true)
        .withAdaptive(new AdaptiveVocabulary(List.of(4, 7), factor, tiedProjections, 0));
  }

  @ParameterizedTest
  @CsvSource({"2,true,true", "2,true,false", "2,false,false", "1,true,false", "1,true,true"})
  void everyWordsLogitEqualsTheReference(int factor, boolean tied, boolean tiedProjections) {
    TransformerConfig config = config(factor, tied, tiedProjections);
    try (DecoderBench bench = new DecoderBench(config, 21)) {
      double[] found = bench.call(new int[][] {INPUTS}).logits();
      double[] expected = flat(new ReferenceDecoder(config, bench.weights).call(INPUTS).logits());
      assertThatTensor(found).isCloseTo(expected, 1e-5);
    }
  }

  @Test
  void probabilitiesSumToOneAndTargetsAreEntriesOfTheLogits() {
    try (DecoderBench bench = new DecoderBench(config(2, true, true), 22)) {
      Ops tf = bench.session.tf();
      DecoderLanguageModel.Output output =
          bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE);
      VocabularyHead.Target target = target(bench, output, TARGETS);
      List<double[]> found =
          bench.session.evaluateAll(
              List.of(
                  bench.model.logits(tf, output.outputND(), Gates.NONE),
                  target.massN(),
                  target.logitsN(),
                  target.headNH()),
              bench.feeds(new int[][] {INPUTS}));
      for (int t = 0; t < INPUTS.length; t++) {
        double sum = 0;
        for (int word = 0; word < V; word++) {
          sum += Math.exp(found.get(0)[t * V + word] - found.get(1)[t]);
        }
        assertThat(sum).isCloseTo(1, within(1e-5));
        assertThat(found.get(2)[t]).isCloseTo(found.get(0)[t * V + TARGETS[t]], within(1e-5));
        assertThat(found.get(3)).hasSize(INPUTS.length * 4);
        for (int word = 0; word < 4; word++) {
          assertThat(found.get(3)[t * 4 + word])
              .isCloseTo(found.get(0)[t * V + word], within(1e-5));
        }
      }
    }
  }

  @Test
  void lossWithMemoryEqualsTheEquations() {
    TransformerConfig config = config(2, true, true);
    MemoryConfig memory = MemoryConfig.of(MemoryConfig.MemoryObjective.LOCAL, D);
    try (DecoderBench bench = new DecoderBench(config, 23)) {
      ReferenceDecoder.Output output = new ReferenceDecoder(config, bench.weights).call(INPUTS);
      double expected =
          ReferenceMemory.compute(
                  memory, true, INPUTS.length, flat(output.logits()), flat(output.tap()), TARGETS)
              .meanLoss();
      double[] found =
          bench.session.evaluate(loss(bench, memory, TARGETS), bench.feeds(new int[][] {INPUTS}));
      assertThatTensor(found).isCloseTo(new double[] {expected}, 1e-5);
    }
  }

  /** Once with all clusters, and with one that no input and no target lies in. */
  @ParameterizedTest
  @CsvSource({"-1", "0", "1", "2"})
  void gradientsEqualFiniteDifferences(int emptyCluster) {
    int[] inputs = without(emptyCluster, INPUTS);
    int[] targets = without(emptyCluster, TARGETS);
    // a smooth activation: finite differences must not step over a corner
    TransformerConfig config =
        config(2, true, true)
            .withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.GELU, true, true);
    try (DecoderBench bench = new DecoderBench(config, 24)) {
      MemoryConfig memory = MemoryConfig.of(MemoryConfig.MemoryObjective.LOCAL, D);
      GradientCheck check =
          GradientCheck.of(bench.session, loss(bench, memory, targets))
              .fixed(bench.feeds(new int[][] {inputs}));
      for (Variable variable : bench.catalog.of(VariableGroup.MODEL)) {
        if (variable.name().contains("cluster") || variable.name().contains("classes")) {
          check.input(
              variable.read(),
              variable.shape(),
              Objects.requireNonNull(bench.weights.get(variable.name())));
        }
      }
      check.coordinates(5).verify();
    }
  }

  /** Replaces the words of one cluster by words of its neighbour. */
  private static int[] without(int cluster, int[] words) {
    int[] begins = {0, 4, 7, V};
    int[] copy = words.clone();
    for (int i = 0; cluster >= 0 && i < copy.length; i++) {
      if (copy[i] >= begins[cluster] && copy[i] < begins[cluster + 1]) {
        copy[i] = begins[(cluster + 1) % 3] + i % 3;
      }
    }
    return copy;
  }

  /** Body 201.6 M, words 44.0 M, projections 1.4 M, classes. */
  @Test
  void numberOfParametersIsThePapers() {
    TransformerConfig model =
        TransformerConfig.uniform(267_744, 1_024, 16, 8, 4_096, 1)
            .withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.RELU, true, false)
            .withAdaptive(new AdaptiveVocabulary(List.of(20_000, 60_000), 4, true, 0.2));
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      DecoderLanguageModel decoder = new DecoderLanguageModel(catalog, model);
      assertThat(decoder.config()).isEqualTo(model);
      long total = catalog.of(VariableGroup.MODEL).stream().mapToLong(Variable::size).sum();
      assertThat(total / 1e6).isCloseTo(247, within(0.1));
    }
  }

  @Test
  void unknownTokensFailAndHiddenGatesAreRefused() {
    try (DecoderBench bench = new DecoderBench(config(2, true, true), 25)) {
      assertThatThrownBy(() -> bench.call(new int[][] {{V}})).hasMessageContaining("not in [0, 4)");
      assertThatThrownBy(() -> bench.call(new int[][] {{-1}}))
          .hasMessageContaining("not in [0, 4)");
      Gates gates =
          new Gates() {
            @Override
            public Operand<TFloat32> hidden() {
              return bench.session.tf().constant(new float[D]);
            }
          };
      assertThatThrownBy(() -> bench.call(new int[][] {{1}}, tf -> gates, Dropout.NONE))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("cutoffs");
    }
  }

  @Test
  void dropoutOfTheSoftmaxLeavesTheMemoryAlone() {
    try (DecoderBench bench = new DecoderBench(config(2, true, true), 26)) {
      Ops tf = bench.session.tf();
      DecoderLanguageModel.Output output =
          bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE);
      VocabularyHead.Target with =
          bench
              .model
              .head()
              .target(
                  tf,
                  output.outputND(),
                  tf.constant(TARGETS),
                  Gates.NONE,
                  Dropout.of(0.5, 3, tf.constant(1)));
      List<double[]> found =
          bench.session.evaluateAll(
              List.of(with.massN(), target(bench, output, TARGETS).massN()),
              bench.feeds(new int[][] {INPUTS}));
      assertThatTensor(found.get(0)).differsFrom(found.get(1), 1e-2);
    }
  }

  private static Operand<TFloat32> loss(DecoderBench bench, MemoryConfig memory, int[] targets) {
    Ops tf = bench.session.tf();
    DecoderLanguageModel.Output output =
        bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE);
    return LanguageModelLoss.of(
            tf,
            target(bench, output, targets),
            output.tapNP(),
            tf.constant(targets),
            memory,
            new LanguageModelLoss.MemorySwitches(tf.constant(0f), tf.constant(0f)),
            1,
            targets.length,
            D)
        .meanLoss();
  }

  private static VocabularyHead.Target target(
      DecoderBench bench, DecoderLanguageModel.Output output, int[] targets) {
    Ops tf = bench.session.tf();
    return bench
        .model
        .head()
        .target(tf, output.outputND(), tf.constant(targets), Gates.NONE, Dropout.NONE);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }
}
