package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.training.examples.ExampleBatch;

class GradientRunnerTest {
  private static final int BATCH_SIZE = 3;
  private static final float STEP = 0.02f;

  /** dL/dz by central differences, at other values than 1 too. */
  @ParameterizedTest
  @ValueSource(strings = {"classes", "number", "span"})
  void gradientsAreThoseOfTheLoss(String labels) {
    HeadConfig head =
        switch (labels) {
          case "classes" -> TinyTask.HEAD;
          case "number" -> HeadConfig.classifier(TinyTask.ENCODER, 1);
          default -> HeadConfig.SPAN;
        };
    Random random = new Random(3);
    Weights weights = TinyTask.randomWeights(head, random);
    ExampleBatch batch = TinyTask.batch(head, BATCH_SIZE, random);
    GateValues values = GateValues.allOpen(TinyTask.ENCODER.transformer());
    for (int layer = 0; layer < TinyTask.NUM_LAYERS; layer++) {
      values.heads()[layer][1] = 0.6f;
      values.intermediate()[layer][4] = 0.5f;
    }
    try (GradientRunner runner =
        new GradientRunner(TinyTask.ENCODER, head, weights, "test", BATCH_SIZE, 1)) {
      GateGradients found = runner.gradients(batch, values);
      double largest = 0;
      for (int layer = 0; layer < TinyTask.NUM_LAYERS; layer++) {
        for (int unit = 0; unit < TinyTask.NUM_HEADS + TinyTask.NUM_UNITS; unit++) {
          boolean isHead = unit < TinyTask.NUM_HEADS;
          int index = isHead ? unit : unit - TinyTask.NUM_HEADS;
          float[] gates = (isHead ? values.heads() : values.intermediate())[layer];
          float[] rows = (isHead ? found.heads() : found.intermediate())[layer];
          double mean = 0;
          for (int b = 0; b < BATCH_SIZE; b++) {
            mean += rows[b * gates.length + index] / BATCH_SIZE;
          }
          double expected = difference(runner, batch, values, gates, index);
          assertThat(mean).as("layer %s unit %s", layer, unit).isCloseTo(expected, within(1e-3));
          largest = Math.max(largest, Math.abs(expected));
        }
      }
      assertThat(largest).isGreaterThan(0.015);
    }
  }

  private static double difference(
      GradientRunner runner, ExampleBatch batch, GateValues values, float[] gates, int index) {
    float before = gates[index];
    if (before == 1) {
      // gates end at 1: one-sided, of second order
      gates[index] = 1 - STEP;
      double one = runner.loss(batch, values);
      gates[index] = 1 - 2 * STEP;
      double two = runner.loss(batch, values);
      gates[index] = 1;
      return (3 * runner.loss(batch, values) - 4 * one + two) / (2 * STEP);
    }
    gates[index] = before + STEP;
    double above = runner.loss(batch, values);
    gates[index] = before - STEP;
    double below = runner.loss(batch, values);
    gates[index] = before;
    return (above - below) / (2 * STEP);
  }

  @Test
  void aRowHasTheGradientOfItsOwnLoss() {
    Random random = new Random(4);
    Weights weights = TinyTask.randomWeights(TinyTask.HEAD, random);
    ExampleBatch batch = TinyTask.batch(TinyTask.HEAD, BATCH_SIZE, random);
    try (GradientRunner together =
            new GradientRunner(TinyTask.ENCODER, TinyTask.HEAD, weights, "test", BATCH_SIZE, 1);
        GradientRunner alone =
            new GradientRunner(TinyTask.ENCODER, TinyTask.HEAD, weights, "test", 1, 1)) {
      GateGradients all = together.gradients(batch);
      for (int b = 0; b < BATCH_SIZE; b++) {
        GateGradients own = alone.gradients(TinyTask.row(batch, b));
        for (int layer = 0; layer < TinyTask.NUM_LAYERS; layer++) {
          assertRow(all.heads()[layer], b, own.heads()[layer]);
          assertRow(all.intermediate()[layer], b, own.intermediate()[layer]);
        }
      }
    }
  }

  private static void assertRow(float[] rows, int row, float[] expected) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(rows[row * expected.length + i]).isCloseTo(expected[i], within(1e-5f));
    }
  }

  @Test
  void weightsOfAnotherHeadAreRefused() {
    Weights weights = TinyTask.randomWeights(TinyTask.HEAD, new Random(1));
    assertThatThrownBy(
            () -> new GradientRunner(TinyTask.ENCODER, HeadConfig.SPAN, weights, "run", 1, 1))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("run");
  }
}
