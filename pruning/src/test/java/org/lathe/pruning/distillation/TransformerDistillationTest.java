package org.lathe.pruning.distillation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.GradientCheck;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * A teacher of three layers with three heads beside a student that lacks the first layer, a head of
 * the second and all attention of the third, on sequences of 2 and 3 positions.
 */
class TransformerDistillationTest {
  private static final int B = 2;
  private static final int TAUGHT = 6;
  private static final int WIDTH = 4;
  private static final int[] LENGTHS = {2, 3};
  private static final int LONGEST = 3;
  private static final int[] KEPT_HEADS = {0, 2};
  private static final TransformerConfig FULL = TransformerConfig.uniform(9, TAUGHT, 3, 3, 5, 8);

  @Test
  void termsEqualTheReferenceInDoubles() {
    try (Bench bench = new Bench()) {
      bench.draw(new Random(1), LONGEST);
      List<double[]> found = bench.terms();
      assertThat(found.get(0)[0]).isCloseTo(bench.attention(), within(1e-4));
      double[] hidden = bench.stateDistances();
      assertThat(found.get(1)[0]).isCloseTo(hidden[2] + hidden[3], within(1e-4));
      assertThat(found.get(2)[0]).isCloseTo(hidden[0], within(1e-4));
      assertThat(found.get(3)[0])
          .isCloseTo(bench.attention() + hidden[0] + hidden[2] + hidden[3], within(1e-4));
    }
  }

  @Test
  void gradientsEqualFiniteDifferences() {
    try (Bench bench = new Bench()) {
      bench.draw(new Random(2), LONGEST);
      GradientCheck check = GradientCheck.of(bench.session, bench.output.sum(bench.tf));
      Feeds fixed = Feeds.none();
      for (Map.Entry<Operand<TFloat32>, double[]> entry : bench.values.entrySet()) {
        Operand<TFloat32> operand = entry.getKey();
        Shape shape = bench.shapes.get(operand);
        if (bench.learning.contains(operand)) {
          check.input(operand, shape, entry.getValue());
        } else {
          fixed = fixed.put(operand, shape, entry.getValue());
        }
      }
      check.fixed(fixed).verify();
    }
  }

  /** Neither what stands in it nor how much of it there is. */
  @Test
  void paddingHasNoInfluence() {
    try (Bench bench = new Bench()) {
      bench.draw(new Random(3), LONGEST);
      List<double[]> before = bench.terms();
      bench.draw(new Random(3), LONGEST + 2);
      List<double[]> after = bench.terms();
      for (int i = 0; i < before.size(); i++) {
        assertThat(before.get(i)[0]).isPositive();
        assertThat(after.get(i)[0]).isCloseTo(before.get(i)[0], within(1e-5));
      }
    }
  }

  /** All inputs fed; values of present positions depend on the seed only, not on the padding. */
  private static final class Bench implements AutoCloseable {
    private final TestSession session = new TestSession();
    private final Ops tf = session.tf();
    private final Operand<TFloat32> present = floats();
    private final List<Operand<TFloat32>> taughtStates =
        List.of(floats(), floats(), floats(), floats());
    private final List<Operand<TFloat32>> states = List.of(floats(), floats(), floats(), floats());
    private final List<Operand<TFloat32>> taughtScores = List.of(floats(), floats(), floats());
    private final Operand<TFloat32> scores = floats();
    private final Variable kernel;
    private final Variable bias;
    private final TransformerDistillation.Output output;
    private final List<Operand<TFloat32>> learning;
    private final Map<Operand<TFloat32>, double[]> values = new LinkedHashMap<>();
    private final Map<Operand<TFloat32>, Shape> shapes = new LinkedHashMap<>();
    private int length;

    Bench() {
      GateValues gates = GateValues.allOpen(FULL);
      Arrays.fill(gates.hidden(), WIDTH, TAUGHT, 0);
      gates.attentionLayer()[0] = 0;
      gates.feedForwardLayer()[0] = 0;
      gates.heads()[1][1] = 0;
      gates.attentionLayer()[2] = 0;
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      TransformerDistillation distillation =
          new TransformerDistillation(catalog, PruningPlan.from(FULL, gates));
      kernel = catalog.all().get(0);
      bias = catalog.all().get(1);
      Encoder.Output teacher =
          output(
              taughtStates,
              Map.of(0, taughtScores.get(0), 1, taughtScores.get(1), 2, taughtScores.get(2)));
      output = distillation.call(tf, teacher, output(states, Map.of(1, scores)), present);
      // a layer that is gone gives its input: no term looks at state 1
      learning =
          List.of(states.get(0), states.get(2), states.get(3), scores, kernel.read(), bias.read());
    }

    private Operand<TFloat32> floats() {
      return tf.placeholder(TFloat32.class);
    }

    private Encoder.Output output(
        List<Operand<TFloat32>> hidden, Map<Integer, Operand<TFloat32>> scoresByLayer) {
      SequenceShape unused = SequenceShape.of(tf, tf.placeholder(TInt32.class));
      return new Encoder.Output(hidden, hidden.get(3), hidden.get(3), null, unused, scoresByLayer);
    }

    void draw(Random random, int newLength) {
      length = newLength;
      Random padding = new Random(random.nextLong() + length);
      double[] ones = new double[B * length];
      for (int b = 0; b < B; b++) {
        Arrays.fill(ones, b * length, b * length + LENGTHS[b], 1);
      }
      put(present, Shape.of(B, length), ones);
      for (int state = 0; state < 4; state++) {
        put(
            taughtStates.get(state),
            Shape.of(B * length, TAUGHT),
            rows(random, padding, 1, 1, TAUGHT));
        put(states.get(state), Shape.of(B * length, WIDTH), rows(random, padding, 1, 1, WIDTH));
      }
      for (Operand<TFloat32> taught : taughtScores) {
        put(taught, Shape.of(B, 3, length, length), rows(random, padding, 3, length, 1));
      }
      put(scores, Shape.of(B, 2, length, length), rows(random, padding, 2, length, 1));
      put(kernel.read(), kernel.shape(), RandomArrays.normal(random, WIDTH * TAUGHT, 0.7));
      put(bias.read(), bias.shape(), RandomArrays.normal(random, TAUGHT, 0.7));
    }

    private void put(Operand<TFloat32> operand, Shape shape, double[] drawn) {
      values.put(operand, drawn);
      shapes.put(operand, shape);
    }

    /** (B, blocks, length, inner, width), inner a second axis of positions or 1. */
    private double[] rows(Random random, Random padding, int blocks, int inner, int width) {
      double[] all = RandomArrays.normal(padding, B * blocks * length * inner * width, 30);
      for (int b = 0; b < B; b++) {
        for (int block = 0; block < blocks; block++) {
          for (int t = 0; t < LENGTHS[b]; t++) {
            for (int j = 0; j < Math.min(inner, LENGTHS[b]); j++) {
              for (int d = 0; d < width; d++) {
                all[((((b * blocks + block) * length + t) * inner) + j) * width + d] =
                    random.nextGaussian();
              }
            }
          }
        }
      }
      return all;
    }

    List<double[]> terms() {
      Feeds feeds = Feeds.none();
      for (Map.Entry<Operand<TFloat32>, double[]> entry : values.entrySet()) {
        feeds = feeds.put(entry.getKey(), shapes.get(entry.getKey()), entry.getValue());
      }
      return session.evaluateAll(
          List.of(output.attention(), output.hidden(), output.embedding(), output.sum(tf)), feeds);
    }

    double attention() {
      double sum = 0;
      int count = 0;
      for (int b = 0; b < B; b++) {
        for (int n = 0; n < KEPT_HEADS.length; n++) {
          for (int t = 0; t < LENGTHS[b]; t++) {
            for (int j = 0; j < LENGTHS[b]; j++) {
              double own = values.get(scores)[((b * 2 + n) * length + t) * length + j];
              double taught =
                  values
                      .get(taughtScores.get(1))[
                      ((b * 3 + KEPT_HEADS[n]) * length + t) * length + j];
              sum += (own - taught) * (own - taught);
              count++;
            }
          }
        }
      }
      return sum / count;
    }

    double[] stateDistances() {
      return IntStream.range(0, 4).mapToDouble(this::stateDistance).toArray();
    }

    private double stateDistance(int state) {
      double sum = 0;
      int count = 0;
      for (int b = 0; b < B; b++) {
        for (int t = 0; t < LENGTHS[b]; t++) {
          for (int d = 0; d < TAUGHT; d++) {
            double projected = values.get(bias.read())[d];
            for (int k = 0; k < WIDTH; k++) {
              projected +=
                  values.get(states.get(state))[(b * length + t) * WIDTH + k]
                      * values.get(kernel.read())[k * TAUGHT + d];
            }
            double gap =
                projected - values.get(taughtStates.get(state))[(b * length + t) * TAUGHT + d];
            sum += gap * gap;
            count++;
          }
        }
      }
      return sum / count;
    }

    @Override
    public void close() {
      session.close();
    }
  }
}
