package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.reference.ReferenceEncoder;
import org.lathe.graphs.reference.ReferenceEncoder.GateArrays;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.SeededCases;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

class EncoderTest {
  private static final int V = 9;
  private static final int D = 8;
  private static final int LENGTH = 5;
  private static final int[][] TOKENS = {{3, 1, 4, 1, 5}, {8, 0, 2}, {6}};
  private static final int[][] TYPES = {{0, 0, 1, 1, 1}, {0, 1, 0}, {1}};

  private static EncoderConfig bert() {
    return EncoderConfig.bert(V, D, 2, 2, 12, 7);
  }

  static Stream<EncoderConfig> families() {
    return Stream.of(
        bert(),
        // RoBERTa
        bert().withEmbeddings(1, 2).withPooler(0).withNormEpsilon(1e-5),
        // DistilBERT
        bert().withEmbeddings(0, 0).withPooler(0));
  }

  static Stream<EncoderConfig> fullAndSlim() {
    // a block without attention, one without feed-forward, one without both
    List<BlockShape> blocks =
        List.of(new BlockShape(0, 5), new BlockShape(3, 0), new BlockShape(0, 0));
    EncoderConfig slim = bert().withTransformer(bert().transformer().withBlocks(7, blocks));
    return Stream.concat(families(), Stream.of(slim));
  }

  @ParameterizedTest
  @MethodSource("fullAndSlim")
  void forwardEqualsTheReferenceInDoubles(EncoderConfig config) {
    try (EncoderBench bench = new EncoderBench(config)) {
      Encoder.Output output = call(bench, Gates.NONE);
      Feeds feeds = bench.drawWeights(2).with(bench.batch(TOKENS, TYPES, LENGTH));
      compare(bench, output, feeds, GateArrays.open(config.transformer()));
    }
  }

  /** Fractional and binary gates, closed sublayers, whole layers closed; padding throughout. */
  @ParameterizedTest
  @MethodSource("families")
  void gatedForwardEqualsTheReferenceInDoubles(EncoderConfig config) {
    try (EncoderBench bench = new EncoderBench(config)) {
      Encoder.Output output = call(bench, bench.gates);
      Feeds batch = bench.batch(TOKENS, TYPES, LENGTH);
      SeededCases.run(
          10,
          random -> {
            GateArrays gates = draw(config, random);
            Feeds feeds = bench.drawWeights(random.nextLong()).with(batch);
            compare(bench, output, feeds.with(bench.gates.feeds(gates)), gates);
          });
    }
  }

  private static Encoder.Output call(EncoderBench bench, Gates gates) {
    return bench.model.call(
        bench.session.tf(), bench.tokens, bench.present, bench.types, gates, Dropout.NONE);
  }

  private static void compare(
      EncoderBench bench, Encoder.Output output, Feeds feeds, GateArrays gates) {
    Ops tf = bench.session.tf();
    List<Operand<TFloat32>> fetches = new ArrayList<>();
    // identities: an empty layer's state is the one before, and may be fetched once
    output.hiddenND().forEach(state -> fetches.add(tf.identity(state)));
    if (output.pooledBP() != null) {
      fetches.add(output.pooledBP());
    }
    List<double[]> found = bench.session.evaluateAll(fetches, feeds);
    int width = bench.config.transformer().hiddenSize();
    ReferenceEncoder reference = new ReferenceEncoder(bench.config, bench.weights, gates);
    int numStates = bench.config.transformer().numLayers() + 1;
    assertThat(output.hiddenND()).hasSize(numStates);
    for (int b = 0; b < TOKENS.length; b++) {
      ReferenceEncoder.Output expected = reference.call(TOKENS[b], TYPES[b]);
      int from = b * LENGTH * width;
      for (int state = 0; state < numStates; state++) {
        double[] rows = Arrays.copyOfRange(found.get(state), from, from + TOKENS[b].length * width);
        assertThatTensor(rows).isCloseTo(EncoderBench.flat(expected.hidden().get(state)), 1e-5);
      }
      if (bench.config.hasPooler()) {
        int size = bench.config.poolerSize();
        assertThatTensor(Arrays.copyOfRange(found.get(numStates), b * size, (b + 1) * size))
            .isCloseTo(expected.pooled(), 1e-5);
      }
    }
  }

  /** Of layers with attention, before the mask: what a student's heads are compared by. */
  @Test
  void scoresAreScaledProductsOfQueriesAndKeys() {
    List<BlockShape> blocks =
        List.of(new BlockShape(2, 3), new BlockShape(0, 5), new BlockShape(3, 0));
    EncoderConfig config = bert().withTransformer(bert().transformer().withBlocks(D, blocks));
    int size = config.transformer().headSize();
    try (EncoderBench bench = new EncoderBench(config)) {
      Encoder.Output output = call(bench, Gates.NONE);
      assertThat(output.scoresBNTT()).containsOnlyKeys(0, 2);
      Feeds feeds = bench.drawWeights(8).with(bench.batch(TOKENS, TYPES, LENGTH));
      ReferenceEncoder reference =
          new ReferenceEncoder(config, bench.weights, GateArrays.open(config.transformer()));
      for (int layer : output.scoresBNTT().keySet()) {
        int numHeads = blocks.get(layer).numHeads();
        double[] found = bench.session.evaluate(output.scoresBNTT().get(layer), feeds);
        assertThat(found).hasSize(TOKENS.length * numHeads * LENGTH * LENGTH);
        String name = "encoder/layer_" + layer + "/attention/";
        for (int b = 0; b < TOKENS.length; b++) {
          double[][] input = reference.call(TOKENS[b], TYPES[b]).hidden().get(layer);
          double[][] queries = reference.linear(name + "query", input);
          double[][] keys = reference.linear(name + "key", input);
          for (int head = 0; head < numHeads; head++) {
            for (int t = 0; t < TOKENS[b].length; t++) {
              double[] expected = new double[TOKENS[b].length];
              for (int j = 0; j < expected.length; j++) {
                for (int h = head * size; h < (head + 1) * size; h++) {
                  expected[j] += queries[t][h] * keys[j][h] / Math.sqrt(size);
                }
              }
              int from = ((b * numHeads + head) * LENGTH + t) * LENGTH;
              assertThatTensor(Arrays.copyOfRange(found, from, from + expected.length))
                  .isCloseTo(expected, 1e-5);
            }
          }
          // of keys that are padding too
          assertThat(Arrays.stream(found).allMatch(score -> score > -100)).isTrue();
        }
      }
    }
  }

  private static GateArrays draw(EncoderConfig config, Random random) {
    GateArrays gates = GateArrays.open(config.transformer());
    boolean fractional = random.nextBoolean();
    draw(gates.hidden(), random, 0.7, fractional);
    for (int d = 0; d < D / 2; d++) {
      gates.hidden()[d] = Math.max(gates.hidden()[d], 0.5); // a norm over two values is chaotic
    }
    for (double[] heads : gates.heads()) {
      draw(heads, random, 0.7, fractional);
    }
    for (double[] units : gates.intermediate()) {
      draw(units, random, 0.6, fractional);
    }
    draw(gates.attention(), random, 0.7, fractional);
    draw(gates.feedForward(), random, 0.7, fractional);
    return gates;
  }

  private static void draw(double[] gates, Random random, double open, boolean fractional) {
    for (int i = 0; i < gates.length; i++) {
      double value = fractional ? (float) (0.2 + 0.8 * random.nextDouble()) : 1;
      gates[i] = random.nextDouble() < open ? value : 0;
    }
  }

  /** What stands beyond a sequence, and how much of it, changes nothing; masks may be floats. */
  @Test
  void paddingChangesNothing() {
    try (EncoderBench bench = new EncoderBench(bert())) {
      Ops tf = bench.session.tf();
      Feeds weights = bench.drawWeights(3);
      Operand<TFloat32> floats = tf.dtypes.cast(bench.present, TFloat32.class);
      Encoder.Output output =
          bench.model.call(tf, bench.tokens, floats, bench.types, Gates.NONE, Dropout.NONE);
      List<Operand<TFloat32>> fetches =
          List.of(output.sequenceND(), Objects.requireNonNull(output.pooledBP()));
      for (int b = 0; b < TOKENS.length; b++) {
        int length = TOKENS[b].length;
        int[][] tokens = {TOKENS[b]};
        int[][] types = {TYPES[b]};
        List<double[]> alone =
            bench.session.evaluateAll(fetches, weights.with(bench.batch(tokens, types, length)));
        List<double[]> padded =
            bench.session.evaluateAll(fetches, weights.with(bench.batch(TOKENS, TYPES, 7)));
        assertThatTensor(Arrays.copyOfRange(padded.get(0), b * 7 * D, (b * 7 + length) * D))
            .isCloseTo(alone.get(0), 1e-6);
        assertThatTensor(Arrays.copyOfRange(padded.get(1), b * D, (b + 1) * D))
            .isCloseTo(alone.get(1), 1e-6);
      }
    }
  }

  @Test
  void everyPositionSeesEveryOther() {
    try (EncoderBench bench = new EncoderBench(bert())) {
      Encoder.Output output = call(bench, Gates.NONE);
      Feeds weights = bench.drawWeights(4);
      int[] changed = TOKENS[0].clone();
      changed[4] = 2;
      double[] before =
          bench.session.evaluate(
              output.sequenceND(), weights.with(bench.batch(TOKENS, TYPES, LENGTH)));
      double[] after =
          bench.session.evaluate(
              output.sequenceND(),
              weights.with(bench.batch(new int[][] {changed}, new int[][] {TYPES[0]}, LENGTH)));
      for (int t = 0; t < LENGTH; t++) {
        assertThatTensor(Arrays.copyOfRange(after, t * D, (t + 1) * D))
            .differsFrom(Arrays.copyOfRange(before, t * D, (t + 1) * D), 1e-4);
      }
    }
  }

  /** An encoder of fewer than two types does not look at them; without any, type 0 is taken. */
  @Test
  void missingTypesAreTypeZero() {
    for (EncoderConfig config : List.of(bert(), bert().withEmbeddings(1, 0))) {
      try (EncoderBench bench = new EncoderBench(config)) {
        Encoder.Output without =
            bench.model.call(
                bench.session.tf(), bench.tokens, bench.present, null, Gates.NONE, Dropout.NONE);
        Encoder.Output with = call(bench, Gates.NONE);
        int[][] zeros = {new int[5], new int[3], new int[1]};
        int[][] given = config.numTokenTypes() == 1 ? TYPES : zeros;
        Feeds feeds = bench.drawWeights(5).with(bench.batch(TOKENS, given, LENGTH));
        List<double[]> found =
            bench.session.evaluateAll(List.of(without.firstBD(), with.firstBD()), feeds);
        assertThatTensor(found.get(0)).hasSameBitsAs(found.get(1));
      }
    }
  }

  @Test
  void gradientsEqualFiniteDifferences() {
    EncoderConfig config = EncoderConfig.bert(8, 4, 2, 2, 3, 4).withNormEpsilon(1e-2);
    try (EncoderBench bench = new EncoderBench(config)) {
      Ops tf = bench.session.tf();
      Encoder.Output output = call(bench, bench.gates);
      Operand<TFloat32> looked =
          tf.concat(
              List.of(
                  tf.reshape(output.sequenceND(), tf.constant(new int[] {-1})),
                  tf.reshape(
                      Objects.requireNonNull(output.pooledBP()), tf.constant(new int[] {-1}))),
              tf.constant(0));
      bench.drawWeights(6);
      EncoderBench.FedLayerGates gates = bench.gates;
      GradientCheck check =
          GradientCheck.of(bench.session, looked)
              .fixed(
                  bench.batch(new int[][] {{1, 2, 3}, {5, 4}}, new int[][] {{0, 0, 1}, {1, 0}}, 3))
              .input(gates.hidden(), Shape.of(4), new double[] {0.9, 0.6, 0.8, 0.7})
              .input(gates.headsLN(), Shape.of(2, 2), new double[] {0.9, 0.5, 0.4, 0.8})
              .input(
                  gates.intermediateLF(),
                  Shape.of(2, 3),
                  new double[] {0.9, 0.6, 0.8, 0.7, 0.5, 0.6})
              .input(gates.attentionL(), Shape.of(2), new double[] {0.9, 0.6})
              .input(gates.feedForwardL(), Shape.of(2), new double[] {0.7, 0.8});
      for (Variable variable : bench.catalog.all()) {
        check.input(
            variable.read(),
            variable.shape(),
            Objects.requireNonNull(bench.weights.get(variable.name())));
      }
      check.coordinates(4).verify();
    }
  }

  @Test
  void tooLongSequencesFail() {
    EncoderConfig config = bert().withEmbeddings(1, 2);
    assertThat(config.maxLength()).isEqualTo(5);
    try (EncoderBench bench = new EncoderBench(config)) {
      Encoder.Output output = call(bench, Gates.NONE);
      Feeds weights = bench.drawWeights(7);
      assertThatThrownBy(
              () ->
                  bench.session.evaluate(
                      output.sequenceND(), weights.with(bench.batch(TOKENS, TYPES, 6))))
          .hasMessageContaining("not in [0, 7)");
    }
  }

  /** Variable names are checkpoint keys: a difference here breaks what people have saved. */
  @Test
  void variablesAreTheGoldenOnes() throws IOException {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      EncoderConfig config = EncoderConfig.bert(V, D, 1, 2, 12, 7);
      Encoder encoder = new Encoder(catalog, config);
      assertThat(encoder.config()).isEqualTo(config);
      new Encoder(catalog, config.withPooler(0), "teacher/encoder", VariableGroup.TEACHER);
      String found =
          catalog.all().stream()
              .map(v -> v.name() + " " + Arrays.toString(v.shape().asArray()) + " " + v.group())
              .collect(Collectors.joining("\n", "", "\n"));
      try (InputStream in = getClass().getResourceAsStream("/golden/encoder.txt")) {
        assertThat(found)
            .isEqualTo(
                new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
      }
    }
  }
}
