package org.lathe.graphs.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.HeadConfig.Kind;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.reference.ReferenceEncoder;
import org.lathe.graphs.reference.ReferenceEncoder.GateArrays;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

class EncoderHeadsTest {
  private static final int V = 9;
  private static final int D = 6;
  private static final int LENGTH = 4;
  private static final int[][] TOKENS = {{3, 1, 4, 1}, {8, 0}};
  private static final int[][] TYPES = {{0, 0, 1, 1}, {0, 1}};

  private static final int[][] LONG_TYPES = {{0, 0, 1, 1}, {0, 1, 1, 0}};

  private static EncoderConfig bert() {
    return EncoderConfig.bert(V, D, 1, 2, 5, 7).withPooler(7);
  }

  private static ReferenceEncoder reference(EncoderBench bench) {
    return new ReferenceEncoder(
        bench.config, bench.weights, GateArrays.open(bench.config.transformer()));
  }

  private static Encoder.Output call(EncoderBench bench, Gates gates) {
    return bench.model.call(
        bench.session.tf(), bench.tokens, bench.present, bench.types, gates, Dropout.NONE);
  }

  @ParameterizedTest
  @EnumSource(names = {"POOLED_CLASSIFIER", "TANH_CLASSIFIER", "RELU_CLASSIFIER"})
  void classifierLogitsEqualTheFormulas(Kind kind) {
    EncoderConfig config = kind.hasDense() ? bert().withPooler(0) : bert();
    HeadConfig head = new HeadConfig(kind, 3, kind.hasDense() ? 5 : 0);
    try (EncoderBench bench = new EncoderBench(config)) {
      SequenceClassifier classifier = new SequenceClassifier(bench.catalog, config, head);
      Feeds feeds = bench.drawWeights(2).with(bench.batch(TOKENS, TYPES, LENGTH));
      Operand<TFloat32> logits =
          classifier.call(bench.session.tf(), call(bench, Gates.NONE), Dropout.NONE);
      double[] found = bench.session.evaluate(logits, feeds);
      for (int b = 0; b < TOKENS.length; b++) {
        ReferenceEncoder reference = reference(bench);
        ReferenceEncoder.Output encoded = reference.call(TOKENS[b], TYPES[b]);
        double[] features = encoded.pooled();
        if (kind.hasDense()) {
          double[][] first = {encoded.sequence()[0]};
          features = reference.linear("classifier/dense", first)[0];
          for (int i = 0; i < features.length; i++) {
            features[i] =
                kind == Kind.RELU_CLASSIFIER ? Math.max(0, features[i]) : Math.tanh(features[i]);
          }
        }
        assertThatTensor(Arrays.copyOfRange(found, b * 3, b * 3 + 3))
            .isCloseTo(reference.linear("classifier/output", new double[][] {features})[0], 1e-5);
      }
    }
  }

  @Test
  void spanLogitsEqualTheFormulaAndPaddingIsHidden() {
    try (EncoderBench bench = new EncoderBench(bert())) {
      SpanHead head = new SpanHead(bench.catalog, bert());
      Feeds feeds = bench.drawWeights(3).with(bench.batch(TOKENS, TYPES, LENGTH));
      SpanHead.Output output =
          head.call(bench.session.tf(), call(bench, Gates.NONE), bench.present);
      List<double[]> found =
          bench.session.evaluateAll(List.of(output.startBT(), output.endBT()), feeds);
      for (int b = 0; b < TOKENS.length; b++) {
        ReferenceEncoder reference = reference(bench);
        double[][] both =
            reference.linear("span/output", reference.call(TOKENS[b], TYPES[b]).sequence());
        for (int t = 0; t < LENGTH; t++) {
          for (int side = 0; side < 2; side++) {
            double value = found.get(side)[b * LENGTH + t];
            if (t < TOKENS[b].length) {
              assertThatTensor(new double[] {value}).isCloseTo(new double[] {both[t][side]}, 1e-5);
            } else {
              assertThat(value).isLessThan(-9_000);
            }
          }
        }
      }
    }
  }

  @Test
  void maskedLanguageModelLogitsEqualTheReferenceWithGates() {
    EncoderConfig config = bert();
    try (EncoderBench bench = new EncoderBench(config)) {
      Ops tf = bench.session.tf();
      MaskedLanguageModelHead head = new MaskedLanguageModelHead(bench.catalog, bench.model);
      GateArrays gates = GateArrays.open(config.transformer());
      gates.hidden()[1] = 0;
      gates.hidden()[3] = (float) 0.6;
      gates.hidden()[5] = (float) 0.8;
      Feeds feeds =
          bench
              .drawWeights(4)
              .with(bench.batch(TOKENS, TYPES, LENGTH))
              .with(bench.gates.feeds(gates));
      Operand<TFloat32> rows =
          tf.gather(
              call(bench, bench.gates).sequenceND(),
              tf.constant(new int[] {1, 3, 4}),
              tf.constant(0));
      int[] targets = {8, 0, 5};
      VocabularyHead.Target target =
          head.target(tf, rows, tf.constant(targets), bench.gates, Dropout.NONE);
      List<double[]> found =
          bench.session.evaluateAll(
              List.of(head.logits(tf, rows, bench.gates), target.logitsN(), target.massN()), feeds);
      ReferenceEncoder reference = new ReferenceEncoder(config, bench.weights, gates);
      double[][] first = reference.call(TOKENS[0], TYPES[0]).sequence();
      double[][] second = reference.call(TOKENS[1], TYPES[1]).sequence();
      double[][] expected =
          reference.maskedLanguageModel(new double[][] {first[1], first[3], second[0]});
      assertThatTensor(found.get(0)).isCloseTo(EncoderBench.flat(expected), 1e-5);
      for (int row = 0; row < 3; row++) {
        double sum = Arrays.stream(expected[row]).map(Math::exp).sum();
        assertThatTensor(new double[] {found.get(1)[row], found.get(2)[row]})
            .isCloseTo(new double[] {expected[row][targets[row]], Math.log(sum)}, 1e-5);
      }
    }
  }

  /** A model as tasks use it: the words at the places that were asked for, in their order. */
  @Test
  void aModelGuessesAtThePlacesAskedFor() {
    EncoderConfig config = bert();
    try (EncoderBench bench = new EncoderBench(config)) {
      Ops tf = bench.session.tf();
      EncoderModel model =
          new EncoderModel(
              bench.catalog, config, HeadConfig.MASKED_LM, "model/", VariableGroup.MODEL);
      Feeds feeds = bench.drawWeights(6).with(bench.batch(TOKENS, TYPES, LENGTH));
      Operand<TFloat32> logits =
          model
              .call(
                  tf,
                  bench.tokens,
                  bench.present,
                  bench.types,
                  tf.constant(new int[] {5, 2}),
                  Gates.NONE,
                  Dropout.NONE)
              .logits()
              .get(0);
      Map<String, double[]> own = new HashMap<>();
      bench.weights.forEach(
          (name, values) -> {
            if (name.startsWith("model/")) {
              own.put(name.substring("model/".length()), values);
            }
          });
      ReferenceEncoder reference =
          new ReferenceEncoder(config, own, GateArrays.open(config.transformer()));
      double[][] expected =
          reference.maskedLanguageModel(
              new double[][] {
                reference.call(TOKENS[1], TYPES[1]).sequence()[1],
                reference.call(TOKENS[0], TYPES[0]).sequence()[2]
              });
      assertThatTensor(bench.session.evaluate(logits, feeds))
          .isCloseTo(EncoderBench.flat(expected), 1e-5);
    }
  }

  /** From given outputs of an encoder to logits, in every variable of the head. */
  @ParameterizedTest
  @EnumSource
  void gradientsEqualFiniteDifferences(Kind kind) {
    EncoderConfig config = bert().withNormEpsilon(1e-2);
    config = kind.hasDense() ? config.withPooler(0) : config;
    HeadConfig head = new HeadConfig(kind, kind.classifies() ? 2 : 0, kind.hasDense() ? 3 : 0);
    try (EncoderBench bench = new EncoderBench(config)) {
      Ops tf = bench.session.tf();
      Encoder.Output encoded = call(bench, bench.gates);
      Operand<TFloat32> logits =
          switch (kind) {
            case SPAN -> {
              SpanHead.Output output =
                  new SpanHead(bench.catalog, config).call(tf, encoded, bench.present);
              yield tf.concat(List.of(output.startBT(), output.endBT()), tf.constant(0));
            }
            case MASKED_LM ->
                new MaskedLanguageModelHead(bench.catalog, bench.model)
                    .target(
                        tf,
                        encoded.sequenceND(),
                        tf.constant(new int[] {1, 2, 3, 4, 5, 6, 7, 8}),
                        bench.gates,
                        Dropout.NONE)
                    .logitsN();
            default ->
                new SequenceClassifier(bench.catalog, config, head).call(tf, encoded, Dropout.NONE);
          };
      GateArrays gates = GateArrays.open(config.transformer());
      bench.drawWeights(5);
      double[] hidden = RandomArrays.uniform(new Random(1), D, 0.5, 1);
      Feeds fed =
          bench
              .batch(new int[][] {{3, 1, 4, 1}, {8, 0, 7, 2}}, LONG_TYPES, LENGTH)
              .with(bench.gates.feeds(gates));
      GradientCheck check =
          GradientCheck.of(bench.session, logits)
              .fixed(fed)
              .input(bench.gates.hidden(), Shape.of(D), hidden);
      for (Variable variable : bench.catalog.all()) {
        boolean shared = variable.name().equals("encoder/embedding/tokens");
        double[] values = bench.weights.get(variable.name());
        if (shared || variable.name().startsWith(kind.prefix())) {
          check.input(variable.read(), variable.shape(), values);
        } else {
          check.fixed(Feeds.none().put(variable.read(), variable.shape(), values));
        }
      }
      check.coordinates(5).verify();
    }
  }

  @Test
  void theUsualClassifierFollowsTheFamily() {
    assertThat(HeadConfig.classifier(bert(), 2))
        .isEqualTo(new HeadConfig(Kind.POOLED_CLASSIFIER, 2, 0));
    assertThat(HeadConfig.classifier(bert().withEmbeddings(1, 2).withPooler(0), 3))
        .isEqualTo(new HeadConfig(Kind.TANH_CLASSIFIER, 3, D));
    assertThat(HeadConfig.classifier(bert().withEmbeddings(0, 0).withPooler(0), 1))
        .isEqualTo(new HeadConfig(Kind.RELU_CLASSIFIER, 1, D));
  }

  @Test
  void aClassifierWithoutItsPoolerIsRefused() {
    try (EncoderBench bench = new EncoderBench(bert().withPooler(0))) {
      HeadConfig head = new HeadConfig(Kind.POOLED_CLASSIFIER, 2, 0);
      assertThatThrownBy(() -> new SequenceClassifier(bench.catalog, bench.config, head))
          .hasMessageContaining("pooler");
    }
  }

  /** Variable names are checkpoint keys. */
  @Test
  void variablesAreTheGoldenOnes() {
    try (EncoderBench bench = new EncoderBench(bert().withPooler(0))) {
      int numEncoder = bench.catalog.all().size();
      new SequenceClassifier(bench.catalog, bench.config, HeadConfig.classifier(bench.config, 2));
      new SpanHead(bench.catalog, bench.config);
      new MaskedLanguageModelHead(bench.catalog, bench.model);
      assertThat(
              bench.catalog.all().stream()
                  .skip(numEncoder)
                  .map(v -> v.name() + " " + Arrays.toString(v.shape().asArray()))
                  .collect(Collectors.toList()))
          .containsExactly(
              "classifier/dense/kernel [6, 6]",
              "classifier/dense/bias [6]",
              "classifier/output/kernel [6, 2]",
              "classifier/output/bias [2]",
              "span/output/kernel [6, 2]",
              "span/output/bias [2]",
              "masked_lm/dense/kernel [6, 6]",
              "masked_lm/dense/bias [6]",
              "masked_lm/norm/gain [6]",
              "masked_lm/norm/bias [6]",
              "masked_lm/bias [9]");
    }
  }

  @Test
  void classifiersDropWhatTheyRead() {
    for (EncoderConfig config : List.of(bert(), bert().withPooler(0))) {
      try (EncoderBench bench = new EncoderBench(config)) {
        Ops tf = bench.session.tf();
        SequenceClassifier classifier =
            new SequenceClassifier(bench.catalog, config, HeadConfig.classifier(config, 2));
        Encoder.Output encoded = call(bench, Gates.NONE);
        Feeds feeds = bench.drawWeights(6).with(bench.batch(TOKENS, TYPES, LENGTH));
        List<double[]> found =
            bench.session.evaluateAll(
                List.of(
                    classifier.call(tf, encoded, Dropout.NONE),
                    classifier.call(tf, encoded, Dropout.of(0.5, 1, tf.constant(1)))),
                feeds);
        assertThatTensor(found.get(1)).differsFrom(found.get(0), 1e-3);
      }
    }
  }
}
