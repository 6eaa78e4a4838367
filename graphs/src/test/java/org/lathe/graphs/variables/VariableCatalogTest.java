package org.lathe.graphs.variables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TFloat32;

class VariableCatalogTest {
  private static final Shape SHAPE = Shape.of(40, 25);

  private static double[] firstValue(long seed, String name, String... declaredBefore) {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), seed);
      for (String other : declaredBefore) {
        catalog.declare(other, Shape.of(2), Initializer.ones(), VariableGroup.MODEL);
      }
      Variable variable =
          catalog.declare(name, SHAPE, Initializer.truncatedNormal(0.5), VariableGroup.MODEL);
      session.run(List.of(variable.initialize()));
      return session.evaluate(variable.read());
    }
  }

  @Test
  void firstValuesDependOnSeedAndNameOnly() {
    double[] values = firstValue(3, "a/b");
    assertThatTensor(firstValue(3, "a/b")).hasSameBitsAs(values);
    assertThatTensor(firstValue(3, "a/b", "x", "y/z")).hasSameBitsAs(values);
    assertThatTensor(firstValue(4, "a/b")).differsFrom(values, 0.1);
    assertThatTensor(firstValue(3, "a/c")).differsFrom(values, 0.1);
  }

  @Test
  void initializingAgainGivesTheSameValues() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 3);
      Variable variable =
          catalog.declare("a", SHAPE, Initializer.truncatedNormal(1), VariableGroup.MODEL);
      session.run(List.of(variable.initialize()));
      double[] values = session.evaluate(variable.read());
      session.run(List.of(variable.initialize()));
      assertThatTensor(session.evaluate(variable.read())).hasSameBitsAs(values);
    }
  }

  @Test
  void truncatedNormalStaysWithinTwoStandardDeviations() {
    double[] values = firstValue(1, "w");
    assertThat(Arrays.stream(values).map(Math::abs).max().orElseThrow()).isLessThanOrEqualTo(1.0);
    assertThat(Arrays.stream(values).average().orElseThrow()).isCloseTo(0, within(0.06));
    // a normal cut at two standard deviations keeps 0.88 of its spread
    double variance = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
    assertThat(Math.sqrt(variance) / 0.5).isBetween(0.8, 1.0);
  }

  @Test
  void otherInitializersGiveWhatTheySay() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      Shape shape = Shape.of(1, 2);
      List<Variable> variables =
          List.of(
              catalog.declare("zeros", shape, Initializer.zeros(), VariableGroup.MODEL),
              catalog.declare("ones", shape, Initializer.ones(), VariableGroup.MODEL),
              catalog.declare("half", shape, Initializer.constant(0.5), VariableGroup.MODEL),
              catalog.declare(
                  "given", shape, Initializer.values(new float[] {3, 4}), VariableGroup.MODEL),
              catalog.declare(
                  "fanIn", Shape.of(400, 10), Initializer.scaledByFanIn(), VariableGroup.MODEL));
      session.run(variables.stream().map(Variable::initialize).toList());
      double[][] expected = {{0, 0}, {1, 1}, {0.5, 0.5}, {3, 4}};
      for (int i = 0; i < expected.length; i++) {
        assertThatTensor(session.evaluate(variables.get(i).read())).hasSameBitsAs(expected[i]);
      }
      double variance =
          Arrays.stream(session.evaluate(variables.get(4).read()))
              .map(v -> v * v)
              .average()
              .orElseThrow();
      assertThat(Math.sqrt(variance * 400)).isBetween(0.8, 1.0);
    }
  }

  @Test
  void givenValuesMustFitTheShape() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      Initializer three = Initializer.values(new float[3]);
      assertThatThrownBy(() -> catalog.declare("w", Shape.of(2), three, VariableGroup.MODEL))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("3 values given for shape [2]");
      assertThat(catalog.all()).isEmpty();
    }
  }

  @Test
  void duplicatesAreRefused() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      catalog.declare("a/b", Shape.of(1), Initializer.zeros(), VariableGroup.MODEL);
      assertThatThrownBy(
              () -> catalog.declare("a/b", Shape.of(2), Initializer.ones(), VariableGroup.GATE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'a/b' is declared twice");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "a/", "/a", "a//b", "a b", "a.b", "a-b", "a:0", "\u00e4", "a\n"})
  void badNamesAreRefused(String name) {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      assertThatThrownBy(
              () -> catalog.declare(name, Shape.of(1), Initializer.zeros(), VariableGroup.MODEL))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + name + "'");
    }
  }

  @Test
  void variablesAreFoundByNameAndGroupInOrderOfDeclaration() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      Variable z = catalog.declare("z", Shape.of(1), Initializer.zeros(), VariableGroup.MODEL);
      Variable gate = catalog.declare("g", Shape.of(2), Initializer.zeros(), VariableGroup.GATE);
      Variable a = catalog.declare("a", Shape.of(3), Initializer.zeros(), VariableGroup.MODEL);
      assertThat(catalog.all()).containsExactly(z, gate, a);
      assertThat(catalog.of(VariableGroup.MODEL)).containsExactly(z, a);
      assertThat(catalog.of(VariableGroup.GATE, VariableGroup.MODEL)).containsExactly(z, gate, a);
      assertThat(catalog.of(VariableGroup.OPTIMIZER)).isEmpty();
      assertThat(catalog.get("g")).isSameAs(gate);
      assertThat(a.read()).isSameAs(a.read());
      assertThat(a.size()).isEqualTo(3);
      assertThatThrownBy(() -> catalog.get("b"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no variable is named 'b'");
    }
  }

  @Test
  void scalarFeedsKeepTheirFunctionsAndRefuseDuplicates() {
    try (TestSession session = new TestSession()) {
      ScalarFeeds feeds = new ScalarFeeds(session.tf());
      feeds.scalar("optimizer/rate", step -> 2.0 * step);
      feeds.scalar("memory/bias", step -> step < 10 ? -10000 : 0);
      assertThat(feeds.all().keySet()).containsExactly("optimizer/rate", "memory/bias");
      assertThat(feeds.all().get("optimizer/rate").valueAtStep().applyAsDouble(7)).isEqualTo(14);
      assertThatThrownBy(() -> feeds.scalar("memory/bias", step -> 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'memory/bias' is declared twice");
    }
  }

  /** What stands between a variable and its readers changes what they see, not what is stored. */
  @Test
  void isReadThroughATransformWithGradientsOfTheStoredValue() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      Variable variable =
          catalog.declare(
              "a", Shape.of(3), Initializer.values(new float[] {2, 3, 5}), VariableGroup.MODEL);
      Variable plain = catalog.declare("b", Shape.of(3), Initializer.ones(), VariableGroup.MODEL);
      catalog.readThrough(
          "a", read -> session.tf().math.mul(read, session.tf().constant(new float[] {1, 0, 4})));
      session.run(catalog.all().stream().map(Variable::initialize).toList());
      assertThat(session.evaluate(variable.value())).containsExactly(2, 0, 20);
      assertThat(session.evaluate(variable.read())).containsExactly(2, 3, 5);
      assertThat(variable.value()).isSameAs(variable.value());
      assertThat(plain.value()).isSameAs(plain.read());
      // d sum(value^2) / d read = 2 value times the factor
      Operand<TFloat32> loss =
          session
              .tf()
              .reduceSum(session.tf().math.square(variable.value()), session.tf().constant(0));
      Output<?> gradient =
          session.graph()
              .addGradients(loss.asOutput(), new Output<?>[] {variable.read().asOutput()})[0];
      assertThat(session.evaluate(gradient.expect(TFloat32.class))).containsExactly(4, 0, 160);
    }
  }

  @Test
  void isReadThroughOneTransformThatComesBeforeTheReaders() {
    try (TestSession session = new TestSession()) {
      VariableCatalog catalog = new VariableCatalog(session.tf(), 1);
      for (String name : List.of("a", "b")) {
        catalog.declare(name, Shape.of(3), Initializer.ones(), VariableGroup.MODEL);
      }
      catalog.readThrough("a", read -> read);
      assertThatThrownBy(() -> catalog.readThrough("a", read -> read))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("'a'");
      catalog.get("b").value();
      assertThatThrownBy(() -> catalog.readThrough("b", read -> read))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("'b'");
      assertThatThrownBy(() -> catalog.readThrough("c", read -> read))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
