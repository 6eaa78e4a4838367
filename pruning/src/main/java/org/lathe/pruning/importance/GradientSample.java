package org.lathe.pruning.importance;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.lathe.training.examples.ExampleBatch;

/**
 * Gate gradients g_i(x) of many examples x, and what is read from them:
 *
 * <pre>
 * sensitivity   sum_x |g_i(x)|            of heads, divided by the layer's L2 norm (Michel et al. 2019)
 * Fisher        F_ij = sum_x g_i g_j      diagonal F_ii over all layers, blocks within a layer
 *                                         (Kwon et al. 2022)
 * </pre>
 *
 * Both are per example. The published code of the first takes magnitudes position by position,
 * which is the same only in the last layer of a classifier; that of the second sums the gradients
 * of a batch first, where what examples disagree about cancels.
 */
public final class GradientSample {
  private final List<GateGradients> batches = new ArrayList<>();
  private int numExamples;

  /** Adds the examples of a batch. */
  public void add(GradientRunner runner, ExampleBatch batch) {
    add(runner.gradients(batch));
  }

  void add(GateGradients gradients) {
    batches.add(gradients);
    numExamples += gradients.batchSize();
  }

  /** Of heads, with rows of L2 norm 1 (rows of zeros stay): [L][N]. */
  public double[][] sensitivityOfHeads() {
    double[][] scores = sums(GateGradients::heads, Math::abs);
    for (double[] row : scores) {
      double norm = Math.sqrt(DoubleStream.of(row).map(value -> value * value).sum());
      for (int i = 0; i < row.length && norm > 0; i++) {
        row[i] /= norm;
      }
    }
    return scores;
  }

  /** F_ii. */
  public UnitScores fisher() {
    DoubleUnaryOperator square = g -> g * g;
    return new UnitScores(
        sums(GateGradients::heads, square), sums(GateGradients::intermediate, square));
  }

  /** g_i(x) of one layer's heads, [head][example]. */
  float[][] ofHeads(int layer) {
    return columns(batch -> batch.heads()[layer]);
  }

  /** g_i(x) of one layer's feed-forward units, [unit][example]. */
  float[][] ofUnits(int layer) {
    return columns(batch -> batch.intermediate()[layer]);
  }

  /** Sums over examples: [L][units of the layer]. */
  private double[][] sums(Function<GateGradients, float[][]> part, DoubleUnaryOperator term) {
    Preconditions.checkState(!batches.isEmpty(), "no gradients were added");
    GateGradients any = batches.get(0);
    double[][] sums = new double[part.apply(any).length][];
    for (int layer = 0; layer < sums.length; layer++) {
      int width = part.apply(any)[layer].length / any.batchSize();
      sums[layer] = new double[width];
      for (GateGradients batch : batches) {
        float[] values = part.apply(batch)[layer];
        for (int i = 0; i < values.length; i++) {
          sums[layer][i % width] += term.applyAsDouble(values[i]);
        }
      }
    }
    return sums;
  }

  private float[][] columns(Function<GateGradients, float[]> part) {
    Preconditions.checkState(!batches.isEmpty(), "no gradients were added");
    GateGradients any = batches.get(0);
    int width = part.apply(any).length / any.batchSize();
    float[][] columns = new float[width][numExamples];
    int first = 0;
    for (GateGradients batch : batches) {
      float[] values = part.apply(batch);
      for (int i = 0; i < values.length; i++) {
        columns[i % width][first + i / width] = values[i];
      }
      first += batch.batchSize();
    }
    return columns;
  }
}
