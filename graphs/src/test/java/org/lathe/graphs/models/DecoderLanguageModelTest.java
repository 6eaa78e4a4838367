package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.FedGates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.reference.ReferenceDecoder;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

class DecoderLanguageModelTest {
  private static final int V = 9;
  private static final int D = 8;

  private static TransformerConfig tiny() {
    return TransformerConfig.uniform(V, D, 2, 2, 12, 6);
  }

  static Stream<TransformerConfig> styles() {
    return Stream.of(
        tiny(),
        tiny().withStyle(NormPlacement.PRE, PositionEncoding.LEARNED, Activation.GELU, false, true),
        tiny()
            .withStyle(
                NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.GELU, true, false),
        tiny()
            .withStyle(NormPlacement.POST, PositionEncoding.LEARNED, Activation.GELU, false, false),
        tiny()
            .withStyle(
                NormPlacement.POST, PositionEncoding.SINUSOIDAL, Activation.RELU, true, true),
        tiny().withKeySize(3),
        tiny()
            .withStyle(NormPlacement.POST, PositionEncoding.LEARNED, Activation.GELU, true, true)
            .withKeySize(D),
        // slim: a block without attention, one without feed-forward, one with other widths
        tiny()
            .withBlocks(
                7, List.of(new BlockShape(0, 5), new BlockShape(3, 0), new BlockShape(1, 2))),
        // slim: keys are wider than what is left of the hidden size
        tiny().withKeySize(7).withBlocks(6, List.of(new BlockShape(1, 2), new BlockShape(1, 0))),
        // slim: the last feed-forward is gone, its norm stays for the memory
        tiny().withBlocks(6, List.of(new BlockShape(2, 3), new BlockShape(1, 0))),
        tiny()
            .withBlocks(6, List.of(new BlockShape(0, 3), new BlockShape(2, 0)))
            .withStyle(NormPlacement.POST, PositionEncoding.LEARNED, Activation.RELU, false, true));
  }

  @ParameterizedTest
  @MethodSource("styles")
  void forwardEqualsTheReferenceInDoubles(TransformerConfig config) {
    int[][] batch = {{3, 1, 4, 1, 5}, {8, 0, 8, 2, 7}};
    try (DecoderBench bench = new DecoderBench(config, 2)) {
      DecoderBench.Values found = bench.call(batch);
      ReferenceDecoder reference = new ReferenceDecoder(config, bench.weights);
      int width = config.hiddenSize();
      for (int b = 0; b < batch.length; b++) {
        ReferenceDecoder.Output expected = reference.call(batch[b]);
        assertThatTensor(rows(found.output(), b * 5, 5, width))
            .isCloseTo(flat(expected.output()), 1e-5);
        assertThatTensor(rows(found.tap(), b * 5, 5, config.tapWidth()))
            .isCloseTo(flat(expected.tap()), 1e-5);
        assertThatTensor(rows(found.logits(), b * 5, 5, V))
            .isCloseTo(flat(expected.logits()), 1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("styles")
  void laterTokensNeverChangeEarlierOutputs(TransformerConfig config) {
    try (DecoderBench bench = new DecoderBench(config, 3)) {
      int[] tokens = {3, 1, 4, 1, 5, 8};
      DecoderBench.Values before = bench.call(new int[][] {tokens});
      for (int changed = 1; changed < tokens.length; changed++) {
        int[] other = tokens.clone();
        other[changed] = (other[changed] + 1) % V;
        DecoderBench.Values after = bench.call(new int[][] {other});
        assertThatTensor(rows(after.logits(), 0, changed, V))
            .isCloseTo(rows(before.logits(), 0, changed, V), 1e-6);
        assertThatTensor(rows(after.tap(), 0, changed, config.tapWidth()))
            .isCloseTo(rows(before.tap(), 0, changed, config.tapWidth()), 1e-6);
        assertThatTensor(rows(after.logits(), changed, 1, V))
            .differsFrom(rows(before.logits(), changed, 1, V), 1e-4);
      }
    }
  }

  @Test
  void sequencesOfABatchDoNotMix() {
    try (DecoderBench bench = new DecoderBench(tiny(), 4)) {
      int[] first = {1, 2, 3, 4};
      DecoderBench.Values alone = bench.call(new int[][] {first});
      DecoderBench.Values together = bench.call(new int[][] {{8, 8, 0, 5}, first, {7, 6, 5, 4}});
      assertThatTensor(rows(together.logits(), 4, 4, V)).isCloseTo(alone.logits(), 1e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({"PRE", "POST"})
  void openGatesChangeNothing(NormPlacement placement) {
    TransformerConfig config =
        tiny().withStyle(placement, PositionEncoding.SINUSOIDAL, Activation.GELU, true, true);
    int[][] batch = {{3, 1, 4}, {8, 0, 8}};
    try (DecoderBench bench = new DecoderBench(config, 5)) {
      assertThatTensor(bench.call(batch, tf -> gates(tf, 1, 1, 1), Dropout.NONE).logits())
          .isCloseTo(bench.call(batch).logits(), 1e-5);
    }
  }

  /** A sublayer whose gate is 0 is an identity, its norm included: the slim model lacks it. */
  @ParameterizedTest
  @CsvSource({"PRE,0,1", "PRE,1,0", "PRE,0,0", "POST,0,1", "POST,1,0", "POST,0,0"})
  void closedLayerGatesEqualTheModelWithoutThoseSublayers(
      NormPlacement placement, double attentionGate, double feedForwardGate) {
    TransformerConfig full =
        tiny().withStyle(placement, PositionEncoding.SINUSOIDAL, Activation.GELU, true, true);
    BlockShape left = new BlockShape(attentionGate > 0 ? 2 : 0, feedForwardGate > 0 ? 12 : 0);
    TransformerConfig slim = full.withBlocks(D, List.of(left, left));
    int[] tokens = {3, 1, 4, 4};
    try (DecoderBench bench = new DecoderBench(full, 6)) {
      DecoderBench.Values gated =
          bench.call(
              new int[][] {tokens},
              tf -> gates(tf, 1, attentionGate, feedForwardGate),
              Dropout.NONE);
      ReferenceDecoder.Output expected = new ReferenceDecoder(slim, bench.weights).call(tokens);
      assertThatTensor(gated.logits()).isCloseTo(flat(expected.logits()), 1e-5);
      assertThatTensor(gated.tap()).isCloseTo(flat(expected.tap()), 1e-5);
    }
  }

  private static Gates gates(Ops tf, double all, double attention, double feedForward) {
    return FedGates.of(
        List.of(
            filled(tf, D, all),
            filled(tf, 2, all),
            filled(tf, 12, all),
            tf.constant((float) attention),
            tf.constant((float) feedForward)));
  }

  private static Operand<TFloat32> filled(Ops tf, int size, double value) {
    return tf.fill(tf.constant(new int[] {size}), tf.constant((float) value));
  }

  @Test
  void closedHiddenDimensionsStayZeroEverywhere() {
    int[][] batch = {{3, 1, 4}};
    try (DecoderBench bench = new DecoderBench(tiny(), 7)) {
      DecoderBench.Values found =
          bench.call(
              batch,
              tf ->
                  FedGates.of(
                      List.of(
                          tf.constant(new float[] {1, 0, 1, 1, 0, 1, 1, 1}),
                          filled(tf, 2, 1),
                          filled(tf, 12, 1),
                          tf.constant(1f),
                          tf.constant(1f))),
              Dropout.NONE);
      for (int row = 0; row < 3; row++) {
        for (int closed : new int[] {1, 4}) {
          assertThat(found.output()[row * D + closed]).isZero();
          assertThat(found.tap()[row * D + closed]).isZero();
        }
      }
    }
  }

  @Test
  void dropoutOfAStepIsReproducible() {
    int[][] batch = {{3, 1, 4}, {8, 0, 8}};
    try (DecoderBench bench = new DecoderBench(tiny(), 8)) {
      Ops tf = bench.session.tf();
      double[] once =
          bench.call(batch, o -> Gates.NONE, Dropout.of(0.2, 1, tf.constant(10))).logits();
      double[] again =
          bench.call(batch, o -> Gates.NONE, Dropout.of(0.2, 1, tf.constant(10))).logits();
      double[] next =
          bench.call(batch, o -> Gates.NONE, Dropout.of(0.2, 1, tf.constant(11))).logits();
      assertThatTensor(again).hasSameBitsAs(once);
      assertThatTensor(next).differsFrom(once, 1e-2);
      assertThatTensor(bench.call(batch).logits()).differsFrom(once, 1e-2);
    }
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void targetLogitsAreEntriesOfTheLogits(boolean tied) {
    TransformerConfig config =
        tiny()
            .withStyle(NormPlacement.PRE, PositionEncoding.SINUSOIDAL, Activation.RELU, tied, true);
    try (DecoderBench bench = new DecoderBench(config, 9)) {
      Ops tf = bench.session.tf();
      int[] targets = {1, 8, 0};
      DecoderLanguageModel.Output output =
          bench.model.call(tf, bench.tokens, Gates.NONE, Dropout.NONE);
      List<double[]> found =
          bench.session.evaluateAll(
              List.of(
                  bench.model.logits(tf, output.outputND(), Gates.NONE),
                  bench
                      .model
                      .head()
                      .target(tf, output.outputND(), tf.constant(targets), Gates.NONE, Dropout.NONE)
                      .logitsN()),
              bench.feeds(new int[][] {{3, 1, 4}}));
      for (int t = 0; t < 3; t++) {
        assertThat(found.get(1)[t])
            .isCloseTo(
                found.get(0)[t * V + targets[t]], org.assertj.core.api.Assertions.within(1e-5));
      }
    }
  }

  @Test
  void tooLongSequencesAndUnknownTokensFail() {
    try (DecoderBench bench = new DecoderBench(tiny(), 10)) {
      int[][] tooLong = {RandomArrays.ints(new Random(1), 7, V)};
      assertThatThrownBy(() -> bench.call(tooLong)).hasMessageContaining("not in [0, 6)");
      assertThatThrownBy(() -> bench.call(new int[][] {{V}})).hasMessageContaining("not in [0, 9)");
    }
  }

  /** Variable names are checkpoint keys: a difference here breaks what people have saved. */
  @ParameterizedTest
  @CsvSource({"pre_norm_tied", "post_norm_untied_learned"})
  void variablesAreTheGoldenOnes(String golden) throws IOException {
    TransformerConfig config =
        golden.startsWith("pre")
            ? tiny()
            : tiny()
                .withStyle(
                    NormPlacement.POST, PositionEncoding.LEARNED, Activation.GELU, false, false);
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      assertThat(new DecoderLanguageModel(catalog, config).config()).isEqualTo(config);
      String found =
          catalog.all().stream()
              .map(v -> v.name() + " " + Arrays.toString(v.shape().asArray()) + " " + v.group())
              .collect(Collectors.joining("\n", "", "\n"));
      try (InputStream in = getClass().getResourceAsStream("/golden/" + golden + ".txt")) {
        assertThat(found)
            .isEqualTo(
                new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
      }
    }
  }

  private static double[] rows(double[] values, int from, int count, int width) {
    return Arrays.copyOfRange(values, from * width, (from + count) * width);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }
}
