package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import com.google.common.primitives.Doubles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.CompressionConfig.Kind;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.reference.ReferenceRecurrent;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TFloat32;

class RecurrentLanguageModelTest {
  private static final int B = 2;
  private static final int T = 4;
  private static final int D = 6;
  private static final int V = 9;
  private static final TransformerConfig MODEL = TransformerConfig.uniform(V, D, 2, 2, 5, 1);

  /** Without kinks, for finite differences. */
  private static final TransformerConfig SMOOTH =
      MODEL.withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.GELU, true, true);

  private static RecurrenceConfig compressing(Kind kind, int memoryLength, int rate, int length) {
    return RecurrenceConfig.of(memoryLength)
        .withCompression(new CompressionConfig(kind, rate, length, 1));
  }

  private static int[] tokens(int seed, int size) {
    return RandomArrays.ints(new Random(seed), size, V);
  }

  /** Memory shorter than a segment, not a multiple of it, and long; distances clamped and not. */
  @ParameterizedTest
  @CsvSource({"3,0", "4,0", "6,0", "6,5", "20,0", "20,7"})
  void transformerXlEqualsTheReference(int memoryLength, int clampLength) {
    equalsTheReference(RecurrenceConfig.of(memoryLength).withClampLength(clampLength), 5);
  }

  @ParameterizedTest
  @CsvSource({
    "MEAN_POOLING,4,2,3",
    "MEAN_POOLING,5,2,4",
    "MAX_POOLING,6,4,2",
    "CONVOLUTION,4,2,3",
    "CONVOLUTION,7,4,5",
    "MOST_USED,4,2,3",
    "MOST_USED,5,2,6",
  })
  void compressiveTransformerEqualsTheReference(Kind kind, int memoryLength, int rate, int length) {
    equalsTheReference(compressing(kind, memoryLength, rate, length), 6);
  }

  /** Two rows; the memory of the second is emptied on the way. */
  private static void equalsTheReference(RecurrenceConfig recurrence, int numSegments) {
    try (RecurrentRig rig = new RecurrentRig(MODEL, recurrence, B)) {
      ReferenceRecurrent[] rows = new ReferenceRecurrent[B];
      for (int row = 0; row < B; row++) {
        rows[row] = new ReferenceRecurrent(MODEL, recurrence, rig.weights);
      }
      double lossSum = 0;
      for (int segment = 0; segment < numSegments; segment++) {
        if (segment == numSegments - 2) {
          rig.empty(1);
          rows[1] = new ReferenceRecurrent(MODEL, recurrence, rig.weights);
        }
        int[] tokens = tokens(segment, B * T);
        RecurrentRig.Said said = rig.step(tokens);
        List<double[]> hidden = new ArrayList<>();
        List<double[]> tap = new ArrayList<>();
        List<double[]> output = new ArrayList<>();
        List<double[]> logits = new ArrayList<>();
        double loss = 0;
        for (int row = 0; row < B; row++) {
          ReferenceRecurrent.Output expected =
              rows[row].step(Arrays.copyOfRange(tokens, row * T, (row + 1) * T));
          hidden.addAll(List.of(expected.hidden()));
          tap.addAll(List.of(expected.tap()));
          output.addAll(List.of(expected.output()));
          logits.addAll(List.of(expected.logits()));
          loss += expected.loss() / B;
        }
        assertThatTensor(said.hidden()).isCloseTo(flat(hidden), 1e-5);
        assertThatTensor(said.tap()).isCloseTo(flat(tap), 1e-5);
        assertThatTensor(said.output()).isCloseTo(flat(output), 1e-5);
        assertThatTensor(said.logits()).isCloseTo(flat(logits), 1e-5);
        assertThat(Math.abs(said.loss() - loss)).isLessThan(1e-5);
        lossSum += loss;
      }
      assertThat(lossSum > 0).isEqualTo(recurrence.compression().present());
    }
  }

  private static double[] flat(List<double[]> rows) {
    return Doubles.concat(rows.toArray(new double[0][]));
  }

  /** With a memory that holds everything, segments say what one pass over the whole text says. */
  @Test
  void segmentsWithEnoughMemoryEqualOnePass() {
    int numSegments = 4;
    RecurrenceConfig recurrence = RecurrenceConfig.of(numSegments * T);
    int[] text = tokens(5, numSegments * T);
    try (RecurrentRig whole = new RecurrentRig(MODEL, recurrence, 1);
        RecurrentRig parts = new RecurrentRig(MODEL, recurrence, 1)) {
      double[] expected = whole.step(text).output();
      List<double[]> found = new ArrayList<>();
      for (int begin = 0; begin < text.length; begin += T) {
        found.add(parts.step(Arrays.copyOfRange(text, begin, begin + T)).output());
      }
      assertThatTensor(flat(found)).isCloseTo(expected, 1e-5);
    }
  }

  /** Two layers see two segments back (Dai et al. 2019, figure 2), not three. */
  @Test
  void memoryReachesOneSegmentPerLayer() {
    RecurrenceConfig recurrence = RecurrenceConfig.of(T);
    try (RecurrentRig first = new RecurrentRig(MODEL, recurrence, 1);
        RecurrentRig second = new RecurrentRig(MODEL, recurrence, 1)) {
      int[][] segments = {tokens(1, T), tokens(2, T), tokens(3, T), tokens(4, T)};
      int[] other = tokens(9, T);
      List<double[]> outputs = new ArrayList<>();
      List<double[]> otherOutputs = new ArrayList<>();
      for (int i = 0; i < segments.length; i++) {
        outputs.add(first.step(segments[i]).output());
        otherOutputs.add(second.step(i == 0 ? other : segments[i]).output());
      }
      assertThatTensor(outputs.get(1)).differsFrom(otherOutputs.get(1), 1e-4);
      assertThatTensor(outputs.get(2)).differsFrom(otherOutputs.get(2), 1e-4);
      assertThatTensor(outputs.get(3)).hasSameBitsAs(otherOutputs.get(3));
    }
  }

  /** Finite differences with respect to every variable but the compressors. */
  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"NONE", "MAX_POOLING"})
  void gradientsOfTheOutput(Kind kind) {
    RecurrenceConfig recurrence =
        kind == Kind.NONE ? RecurrenceConfig.of(5).withClampLength(6) : compressing(kind, 4, 2, 3);
    try (RecurrentRig rig = new RecurrentRig(SMOOTH, recurrence, B)) {
      rig.step(tokens(1, B * T));
      rig.step(tokens(2, B * T));
      GradientCheck check =
          GradientCheck.of(rig.session, rig.output.outputND()).fixed(rig.feeds(tokens(3, B * T)));
      for (Variable variable : rig.catalog.all()) {
        check.input(variable.read(), variable.shape(), rig.weights.get(variable.name()));
      }
      check.difference(3e-3).coordinates(3).verify();
    }
  }

  @Test
  void gradientsOfTheReconstructionLossReachTheCompressorsOnly() {
    RecurrenceConfig recurrence = compressing(Kind.CONVOLUTION, 4, 2, 3);
    try (RecurrentRig rig = new RecurrentRig(SMOOTH, recurrence, B)) {
      rig.step(tokens(1, B * T));
      rig.step(tokens(2, B * T));
      GradientCheck check =
          GradientCheck.of(rig.session, rig.output.reconstructionLoss())
              .fixed(rig.feeds(tokens(3, B * T)));
      List<Operand<TFloat32>> others = new ArrayList<>();
      int numCompressors = 0;
      for (Variable variable : rig.catalog.all()) {
        if (variable.name().contains("/compression/")) {
          check.input(variable.read(), variable.shape(), rig.weights.get(variable.name()));
          numCompressors++;
        } else {
          others.add(variable.read());
        }
      }
      assertThat(numCompressors).isEqualTo(2 * MODEL.numLayers());
      check.difference(1e-2).coordinates(6).verify();
      assertNoGradient(rig, rig.output.reconstructionLoss(), others);
    }
  }

  @ParameterizedTest
  @EnumSource
  void noGradientReachesTheMemory(Kind kind) {
    RecurrenceConfig recurrence =
        kind == Kind.NONE ? RecurrenceConfig.of(5) : compressing(kind, 4, 2, 3);
    try (RecurrentRig rig = new RecurrentRig(MODEL, recurrence, B)) {
      rig.step(tokens(1, B * T));
      rig.step(tokens(2, B * T));
      List<Operand<TFloat32>> states = new ArrayList<>(rig.memory.recent().layersBMD());
      if (rig.memory.compressed() != null) {
        states.addAll(rig.memory.compressed().layersBMD());
      }
      assertNoGradient(rig, sum(rig, rig.output.outputND()), states);
      List<Operand<TFloat32>> weights = new ArrayList<>();
      rig.catalog.all().forEach(variable -> weights.add(variable.read()));
      for (Operand<TFloat32> next : rig.output.next().recent().layersBMD()) {
        assertNoGradient(rig, sum(rig, next), weights);
      }
      if (rig.output.next().compressed() != null) {
        for (Operand<TFloat32> next : rig.output.next().compressed().layersBMD()) {
          assertNoGradient(rig, sum(rig, next), weights);
        }
      }
    }
  }

  private static Operand<TFloat32> sum(RecurrentRig rig, Operand<TFloat32> x) {
    return rig.tf.reduceSum(rig.tf.reshape(x, rig.tf.constant(new int[] {-1})), rig.tf.constant(0));
  }

  /** The gradient of loss + sum(x) is exactly 1 where the loss gives none. */
  private static void assertNoGradient(
      RecurrentRig rig, Operand<TFloat32> loss, List<Operand<TFloat32>> inputs) {
    List<Operand<TFloat32>> sums = new ArrayList<>();
    sums.add(loss);
    inputs.forEach(input -> sums.add(sum(rig, input)));
    Operand<TFloat32> total = rig.tf.math.addN(sums);
    Output<?>[] gradients =
        rig.session
            .graph()
            .addGradients(
                total.asOutput(), inputs.stream().map(Operand::asOutput).toArray(Output<?>[]::new));
    rig.session
        .evaluateAll(List.of(gradients), rig.feeds(tokens(3, B * T)))
        .forEach(gradient -> assertThat(gradient).containsOnly(1));
  }

  @Test
  void adaptiveVocabulariesToo() {
    TransformerConfig adaptive = MODEL.withAdaptive(new AdaptiveVocabulary(List.of(4), 2, true, 0));
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      new RecurrentLanguageModel(catalog, adaptive, RecurrenceConfig.of(4));
      assertThat(catalog.get("decoder/embedding/cluster_1/tokens").shape())
          .isEqualTo(Shape.of(5, 3));
    }
  }

  @Test
  void refusesWhatItCannotBuild() {
    TransformerConfig slim =
        MODEL.withBlocks(D, List.of(MODEL.blocks().get(0), new BlockShape(1, 5)));
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      assertThatThrownBy(() -> new RecurrentLanguageModel(catalog, slim, RecurrenceConfig.of(4)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("all alike");
    }
    assertThatThrownBy(() -> compressing(Kind.MEAN_POOLING, 3, 2, 4).requireSegmentLength(4))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("memory length 3");
    assertThatThrownBy(() -> compressing(Kind.MEAN_POOLING, 9, 3, 4).requireSegmentLength(4))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("rate 3");
  }
}
