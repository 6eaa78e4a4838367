package org.lathe.pruning.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TFloat32;

class LagrangianTest {
  @Test
  void valueAndGradientsAgreeWithPlainJava() {
    double lambda1 = -2;
    double lambda2 = 3;
    double s = 0.5;
    double t = 0.6;
    Weights weights =
        new Weights()
            .put("multipliers/lambda1", Shape.scalar(), new float[] {(float) lambda1})
            .put("multipliers/lambda2", Shape.scalar(), new float[] {(float) lambda2});
    List<float[]> found =
        Evaluate.graph(
            (tf, catalog) -> {
              Lagrangian lagrangian = new Lagrangian(catalog);
              assertThat(catalog.of(VariableGroup.MULTIPLIER)).hasSize(2);
              Operand<TFloat32> achieved = tf.constant((float) s);
              Operand<TFloat32> r = lagrangian.loss(tf, achieved, tf.constant((float) t));
              return List.of(
                  r,
                  Evaluate.gradient(tf, r, achieved),
                  Evaluate.gradient(tf, r, lagrangian.lambda1().read()),
                  Evaluate.gradient(tf, r, lagrangian.lambda2().read()));
            },
            weights);
    double gap = s - t;
    assertThat((double) found.get(0)[0])
        .isCloseTo(lambda1 * gap + lambda2 * gap * gap, within(1e-6));
    assertThat((double) found.get(1)[0]).isCloseTo(lambda1 + 2 * lambda2 * gap, within(1e-5));
    assertThat((double) found.get(2)[0]).isCloseTo(gap, within(1e-6));
    assertThat((double) found.get(3)[0]).isCloseTo(gap * gap, within(1e-6));
  }

  @Test
  void multipliersStartAtZero() {
    float[] r =
        Evaluate.graph(
                (tf, catalog) ->
                    List.of(new Lagrangian(catalog).loss(tf, tf.constant(0.3f), tf.constant(0.9f))))
            .get(0);
    assertThat(r).containsExactly(0);
  }

  @Test
  void targetRisesLinearlyAndStays() {
    TargetRamp ramp = new TargetRamp(0.8, 100, 50);
    assertThat(ramp.applyAsDouble(0)).isZero();
    assertThat(ramp.applyAsDouble(100)).isZero();
    assertThat(ramp.applyAsDouble(125)).isCloseTo(0.4, within(1e-12));
    assertThat(ramp.applyAsDouble(150)).isCloseTo(0.8, within(1e-12));
    assertThat(ramp.applyAsDouble(100_000)).isCloseTo(0.8, within(1e-12));
    assertThat(new TargetRamp(0.6, 0.8, 100, 50).applyAsDouble(99)).isEqualTo(0.6);
    assertThat(new TargetRamp(0.6, 0.8, 100, 50).applyAsDouble(125)).isCloseTo(0.7, within(1e-12));
    assertThat(new TargetRamp(0.8, 3, 0).applyAsDouble(3)).isEqualTo(0.8);
  }
}
