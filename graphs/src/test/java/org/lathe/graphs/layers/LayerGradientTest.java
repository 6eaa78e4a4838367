package org.lathe.graphs.layers;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Finite differences of every layer with respect to its input and each of its variables. */
class LayerGradientTest {
  private static final int B = 2;
  private static final int T = 3;
  private static final int D = 4;
  private static final Shape INPUT_SHAPE = Shape.of(B * T, D);
  private final Random random = new Random(23);

  /** Builds a layer and calls it. */
  @FunctionalInterface
  private interface Built {
    Operand<TFloat32> call(Ops tf, VariableCatalog catalog, Operand<TFloat32> x);
  }

  private void check(Built built, double difference) {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Operand<TFloat32> x = placeholder(tf, INPUT_SHAPE);
      GradientCheck check =
          GradientCheck.of(session, built.call(tf, catalog, x))
              .input(x, INPUT_SHAPE, RandomArrays.normal(random, B * T * D, 1));
      withVariables(check, catalog).difference(difference).coordinates(6).verify();
    }
  }

  /** The reads of variables are fed: any value, without assignments. */
  private GradientCheck withVariables(GradientCheck check, VariableCatalog catalog) {
    for (Variable variable : catalog.of(VariableGroup.MODEL)) {
      double[] values = RandomArrays.normal(random, (int) variable.size(), 0.5);
      if (variable.name().endsWith("gain")) {
        for (int i = 0; i < values.length; i++) {
          values[i] += 1;
        }
      }
      check.input(variable.read(), variable.shape(), values);
    }
    return check;
  }

  private static Operand<TFloat32> placeholder(Ops tf, Shape shape) {
    return tf.placeholder(TFloat32.class, Placeholder.shape(shape));
  }

  private static SequenceShape shape(Ops tf) {
    return new SequenceShape(tf.constant(B), tf.constant(T));
  }

  @Test
  void linear() {
    check(
        (tf, catalog, x) -> new Linear(catalog, "l", D, 3, VariableGroup.MODEL).call(tf, x), 1e-2);
  }

  @Test
  void linearWithoutBias() {
    check(
        (tf, catalog, x) ->
            new Linear(catalog, "l", D, 3, false, Initializer.zeros(), VariableGroup.MODEL)
                .call(tf, x),
        1e-2);
  }

  @Test
  void layerNorm() {
    check(
        (tf, catalog, x) ->
            new LayerNorm(catalog, "n", D, 1e-5, VariableGroup.MODEL).call(tf, x, null),
        1e-2);
  }

  @Test
  void layerNormAndItsHiddenGate() {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Operand<TFloat32> x = placeholder(tf, INPUT_SHAPE);
      Operand<TFloat32> gate = placeholder(tf, Shape.of(D));
      LayerNorm norm = new LayerNorm(catalog, "n", D, 1e-5, VariableGroup.MODEL);
      GradientCheck check =
          GradientCheck.of(session, norm.call(tf, x, gate))
              .input(x, INPUT_SHAPE, RandomArrays.normal(random, B * T * D, 1))
              .input(gate, Shape.of(D), new double[] {0.3, 0.9, 0.5, 0.7});
      withVariables(check, catalog).verify();
    }
  }

  @ParameterizedTest
  @EnumSource
  void feedForward(Activation activation) {
    check(
        (tf, catalog, x) ->
            new FeedForward(catalog, "f", D, 5, activation, VariableGroup.MODEL)
                .call(tf, x, null, Dropout.NONE),
        1e-3);
  }

  @Test
  void selfAttention() {
    check(
        (tf, catalog, x) ->
            new SelfAttention(catalog, "a", D, 2, 3, VariableGroup.MODEL)
                .call(tf, x, shape(tf), Masks.causal(tf, tf.constant(T)), null, Dropout.NONE)
                .output(),
        1e-2);
  }

  @ParameterizedTest
  @CsvSource({"PRE,RELU", "PRE,GELU", "POST,RELU", "POST,GELU"})
  void transformerBlock(NormPlacement placement, Activation activation) {
    check(
        (tf, catalog, x) ->
            block(catalog, placement, activation)
                .call(tf, x, shape(tf), Masks.causal(tf, tf.constant(T)), Gates.NONE, Dropout.NONE)
                .hidden(),
        activation == Activation.RELU ? 1e-3 : 1e-2);
  }

  private static TransformerBlock block(
      VariableCatalog catalog, NormPlacement placement, Activation activation) {
    TransformerConfig config =
        TransformerConfig.uniform(7, D, 1, 2, 5, T)
            .withStyle(placement, PositionEncoding.LEARNED, activation, true, false);
    return new TransformerBlock(catalog, "b", config, 0, true, VariableGroup.MODEL);
  }

  /** Gates get gradients through the explicit multiplications. */
  @ParameterizedTest
  @EnumSource
  void gatesOfABlock(NormPlacement placement) {
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      List<Shape> shapes =
          List.of(Shape.of(D), Shape.of(2), Shape.of(5), Shape.scalar(), Shape.scalar());
      List<Operand<TFloat32>> gates = shapes.stream().map(s -> placeholder(tf, s)).toList();
      Operand<TFloat32> x = placeholder(tf, INPUT_SHAPE);
      Operand<TFloat32> y =
          block(catalog, placement, Activation.GELU)
              .call(
                  tf,
                  x,
                  shape(tf),
                  Masks.causal(tf, tf.constant(T)),
                  FedGates.of(gates),
                  Dropout.NONE)
              .hidden();
      GradientCheck check =
          GradientCheck.of(session, y)
              .input(x, INPUT_SHAPE, RandomArrays.normal(random, B * T * D, 1));
      for (int i = 0; i < gates.size(); i++) {
        int size = (int) shapes.get(i).size();
        check.input(gates.get(i), shapes.get(i), RandomArrays.uniform(random, size, 0.4, 0.9));
      }
      withVariables(check, catalog).coordinates(6).verify();
    }
  }

  @ParameterizedTest
  @EnumSource
  void tokenEmbedding(PositionEncoding encoding) {
    TransformerConfig config =
        TransformerConfig.uniform(5, D, 1, 1, 1, 6)
            .withStyle(NormPlacement.PRE, encoding, Activation.RELU, true, true);
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      TokenVectors embedding = TokenVectors.declare(catalog, "e", config, VariableGroup.MODEL);
      AbsolutePositions positions =
          new AbsolutePositions(catalog, "e", config, VariableGroup.MODEL);
      session.run(catalog.all().stream().map(Variable::initialize).toList());
      // token 1 twice, tokens 0 and 4 never
      Operand<TInt32> tokens = tf.constant(new int[][] {{1, 2, 1}, {3, 3, 2}});
      Operand<TInt32> tokensN = tf.reshape(tokens, tf.constant(new int[] {-1}));
      Operand<TFloat32> embedded = embedding.call(tf, tokensN, null);
      Operand<TFloat32> y =
          tf.math.square(positions.add(tf, embedded, SequenceShape.of(tf, tokens), null));
      withVariables(GradientCheck.of(session, y), catalog).coordinates(12).verify();
    }
  }
}
