package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.BlockRunner.Sublayer;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.SlimEncoder;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.evaluation.EncoderRunner;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.ExampleInput;

class RescalingTest {
  private static final int BATCH_SIZE = 8;
  private static final int NUM_BATCHES = 6;
  private static final int D = TinyTask.HIDDEN_SIZE;
  private static final int HEAD_SIZE = D / TinyTask.NUM_HEADS;

  private final Random random = new Random(11);
  private final Weights weights = TinyTask.randomWeights(TinyTask.HEAD, random);
  private final List<ExampleBatch> batches =
      IntStream.range(0, NUM_BATCHES)
          .mapToObj(i -> TinyTask.batch(TinyTask.HEAD, BATCH_SIZE, random))
          .toList();

  /**
   * Against A written out: column i is what unit i adds, by the sublayer with that gate alone; rows
   * of padding are left out; solved by elimination in double.
   */
  @ParameterizedTest
  @EnumSource
  void factorsAreTheDirectSolution(Sublayer sublayer) {
    boolean attention = sublayer == Sublayer.ATTENTION;
    int numUnits = attention ? TinyTask.NUM_HEADS : TinyTask.NUM_UNITS;
    int parts = attention ? HEAD_SIZE : 1;
    int[] kept = attention ? new int[] {1} : new int[] {0, 2, 5};
    LeastSquares equations = new LeastSquares(kept.length);
    double[][] gram = new double[kept.length][kept.length];
    double[] right = new double[kept.length];
    try (BlockRunner runner = new BlockRunner(TinyTask.ENCODER, weights, 1)) {
      runner.load(weights, 1);
      for (ExampleBatch batch : batches) {
        float[] state = gaussian(BATCH_SIZE * TinyTask.LENGTH * D);
        float[] target = gaussian(state.length);
        BlockRunner.Products products =
            runner.products(sublayer, batch, state, target, columns(kept, parts));
        equations.add(products.gram(), products.right(), parts);
        float[] without = runner.step(sublayer, batch, state, new float[numUnits]).sum();
        float[][] with = new float[kept.length][];
        for (int i = 0; i < kept.length; i++) {
          float[] alone = new float[numUnits];
          alone[kept[i]] = 1;
          with[i] = runner.step(sublayer, batch, state, alone).sum();
        }
        for (int t = 0; t < state.length; t++) {
          if (batch.mask()[t / D] == 1) {
            for (int i = 0; i < kept.length; i++) {
              double column = (double) with[i][t] - without[t];
              right[i] += column * ((double) target[t] - without[t]);
              for (int j = 0; j < kept.length; j++) {
                gram[i][j] += column * ((double) with[j][t] - without[t]);
              }
            }
          }
        }
      }
    }
    double[] expected = eliminate(gram, right);
    double[] found = equations.solve();
    for (int i = 0; i < kept.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], within(1e-4));
    }
    assertThat(Math.abs(expected[0] - 1)).isGreaterThan(0.05);
  }

  /** (G + d I) m = right + d by Gauss-Jordan. */
  private static double[] eliminate(double[][] gram, double[] right) {
    int size = right.length;
    double trace = IntStream.range(0, size).mapToDouble(i -> gram[i][i]).sum();
    double damping = 1e-3 * trace / size;
    double[][] rows = new double[size][];
    for (int i = 0; i < size; i++) {
      rows[i] = Arrays.copyOf(gram[i], size + 1);
      rows[i][i] += damping;
      rows[i][size] = right[i] + damping;
    }
    for (int p = 0; p < size; p++) {
      for (int i = 0; i < size; i++) {
        double factor = i == p ? 0 : rows[i][p] / rows[p][p];
        for (int j = 0; j <= size; j++) {
          rows[i][j] -= factor * rows[p][j];
        }
      }
    }
    return IntStream.range(0, size).mapToDouble(i -> rows[i][size] / rows[i][i]).toArray();
  }

  /** Two units that are the same: the one that stays has to do the work of both. */
  @Test
  void aKeptTwinCountsTwice() {
    GateValues gates = GateValues.allOpen(TinyTask.ENCODER.transformer());
    for (int layer = 0; layer < TinyTask.NUM_LAYERS; layer++) {
      String name = "encoder/layer_" + layer;
      for (String part : List.of("query", "key", "value")) {
        copyColumns(name + "/attention/" + part + "/kernel", HEAD_SIZE);
        copyColumns(name + "/attention/" + part + "/bias", HEAD_SIZE);
      }
      copyRows(name + "/attention/output/kernel", HEAD_SIZE);
      copyColumns(name + "/feed_forward/up/kernel", 1);
      copyColumns(name + "/feed_forward/up/bias", 1);
      copyRows(name + "/feed_forward/down/kernel", 1);
      gates.heads()[layer][1] = 0;
      gates.intermediate()[layer][1] = 0;
    }
    Weights before = copy();
    Weights rescaled =
        Rescaling.rescale(
            TinyTask.ENCODER, weights, gates, step -> batches.get((int) step), NUM_BATCHES, 1);
    for (String name : weights.names()) {
      assertThat(weights.get(name).values()).isEqualTo(before.get(name).values());
    }
    String value = "encoder/layer_0/attention/value/bias";
    assertThat(rescaled.get(value).values()[0] / weights.get(value).values()[0])
        .isCloseTo(2, within(0.01f));
    PruningPlan plan = PruningPlan.from(TinyTask.ENCODER.transformer(), gates);
    assertThat(error(plan, rescaled)).isLessThan(0.05 * error(plan, weights));
  }

  /** Nothing is gone, so nothing is missing; and a sublayer that is gone is no equation. */
  @Test
  void anOpenModelStaysAndAnEmptySublayerIsAnIdentity() {
    GateValues gates = GateValues.allOpen(TinyTask.ENCODER.transformer());
    Arrays.fill(gates.heads()[1], 0);
    Weights rescaled =
        Rescaling.rescale(
            TinyTask.ENCODER, weights, gates, step -> batches.get((int) step), NUM_BATCHES, 1);
    for (String name : weights.names()) {
      float[] expected = weights.get(name).values();
      float[] found = rescaled.get(name).values();
      boolean lacksItsInput = name.startsWith("encoder/layer_1/feed_forward/down/kernel");
      for (int i = 0; i < found.length && !lacksItsInput; i++) {
        assertThat(found[i]).as(name).isCloseTo(expected[i], within(1e-4f));
      }
    }
    PruningPlan plan = PruningPlan.from(TinyTask.ENCODER.transformer(), gates);
    assertThat(error(plan, rescaled)).isLessThan(error(plan, weights));
  }

  /** Mean squared difference of the logits to the unpruned model's, with its own weights. */
  private double error(PruningPlan plan, Weights pruned) {
    SlimEncoder slim = Slimmer.slim(TinyTask.ENCODER, TinyTask.HEAD, pruned, plan);
    double sum = 0;
    try (EncoderRunner full =
            new EncoderRunner(TinyTask.ENCODER, TinyTask.HEAD, weights, "test", BATCH_SIZE, 1);
        EncoderRunner small =
            new EncoderRunner(
                slim.config(), TinyTask.HEAD, slim.weights(), "test", BATCH_SIZE, 1)) {
      for (ExampleBatch batch : batches) {
        float[] expected = full.outputs(batch).get(ExampleInput.LOGITS);
        float[] found = small.outputs(batch).get(ExampleInput.LOGITS);
        for (int i = 0; i < found.length; i++) {
          sum += Math.pow(found[i] - expected[i], 2) / found.length / NUM_BATCHES;
        }
      }
    }
    return sum;
  }

  private Weights copy() {
    Weights copy = new Weights();
    for (String name : weights.names()) {
      copy.put(name, weights.get(name).shape(), weights.get(name).values().clone());
    }
    return copy;
  }

  /** Columns [0, count) to [count, 2 count). */
  private void copyColumns(String name, int count) {
    Weights.Array array = weights.get(name);
    int width = (int) array.shape().get(array.shape().numDimensions() - 1);
    for (int start = 0; start < array.values().length; start += width) {
      System.arraycopy(array.values(), start, array.values(), start + count, count);
    }
  }

  private void copyRows(String name, int count) {
    float[] values = weights.get(name).values();
    System.arraycopy(values, 0, values, count * D, count * D);
  }

  private float[] gaussian(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static int[] columns(int[] units, int parts) {
    return Arrays.stream(units)
        .flatMap(unit -> IntStream.range(unit * parts, (unit + 1) * parts))
        .toArray();
  }
}
