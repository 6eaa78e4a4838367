package org.lathe.pruning.masks;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.CubicRamp;
import org.lathe.pruning.plan.UnitRanking;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Block movement pruning, hybrid (Lagunas et al. 2021): one learned score S a block of an attention
 * kernel and a feed-forward unit, from 0.
 *
 * <pre>
 * M = 1 where sigma(S) > theta, and for the best 0.5 % of the blocks of each kernel
 * W' = W M                     a block's weights share its M
 * dL/dW = M dL/dW'             dL/dS = sigma'(S) sum over the block of W dL/dW'
 * penalty = lambda (theta / 0.1) mean over kernels of mean sigma(S)
 * </pre>
 *
 * theta rises from 0 to 0.1. Which heads and units stay is read from the scores: {@link
 * #unitScores}.
 *
 * @param penalty lambda; larger empties more blocks
 * @param numRampSteps over which theta rises, see {@link CubicRamp}
 */
public record BlockMasks(double penalty, long numRampSteps) implements MaskRule {
  private static final double FINAL_THRESHOLD = 0.1;

  /** Without some blocks no gradient would come through a kernel any more. */
  private static final double ALWAYS_KEPT = 0.005;

  public BlockMasks {
    Preconditions.checkArgument(penalty >= 0, "penalty (%s) must not be negative", penalty);
  }

  @Override
  public Installed install(TrainingTask.Site site, PrunableKernels kernels) {
    Ops tf = site.tf();
    Operand<TFloat32> threshold =
        site.feeds().scalar("pruning/threshold", new CubicRamp(FINAL_THRESHOLD, numRampSteps));
    List<Operand<TFloat32>> means = new ArrayList<>();
    List<Operand<TFloat32>> keptWeights = new ArrayList<>();
    long numWeights = 0;
    for (String name : kernels.names()) {
      Variable kernel = site.catalog().get(name);
      BlockGrid grid = BlockGrid.of(kernels.config(), name, kernel.shape());
      Operand<TFloat32> open =
          tf.math.sigmoid(
              site.catalog()
                  .declare(
                      SCORE_PREFIX + name,
                      grid.scoreShape(),
                      Initializer.zeros(),
                      VariableGroup.GATE)
                  .read());
      Operand<TFloat32> mask = mask(tf, open, threshold, grid.scoreShape().size());
      Operand<TFloat32> factor = MaskOps.straightThrough(tf, mask, open);
      site.catalog().readThrough(name, value -> grid.multiply(tf, value, factor));
      means.add(tf.math.mean(open, tf.constant(new int[] {0, 1})));
      keptWeights.add(
          tf.math.mul(MaskOps.sum(tf, mask), tf.constant((float) grid.weightsPerBlock())));
      numWeights += kernel.size();
    }
    Operand<TFloat32> strength =
        tf.math.mul(threshold, tf.constant((float) (penalty / FINAL_THRESHOLD / means.size())));
    Operand<TFloat32> keptShare =
        tf.math.mul(tf.math.addN(keptWeights), tf.constant((float) (1.0 / numWeights)));
    return new Installed(
        tf.math.mul(tf.math.addN(means), strength),
        ImmutableMap.of("reduction", tf.math.sub(tf.constant(1f), keptShare)));
  }

  private static Operand<TFloat32> mask(
      Ops tf, Operand<TFloat32> open, Operand<TFloat32> threshold, long numBlocks) {
    int numAlwaysKept = (int) Math.ceil(ALWAYS_KEPT * numBlocks);
    Operand<TFloat32> best =
        MaskOps.smallest(
            tf, List.of(open), tf.constant(Math.toIntExact(numBlocks - numAlwaysKept)));
    return MaskOps.constant(
        tf, tf.math.logicalOr(tf.math.greater(open, threshold), tf.math.greaterEqual(open, best)));
  }

  /**
   * What the learned scores say of heads and units: a head is worth its best block in value or
   * output, whichever is less, and so is a unit, of its column in up and its row in down, since
   * neither does anything without both; query and key alone only say where a head looks. So what
   * stays above logit(0.1) is what the published method leaves, and moving that bound meets a
   * target.
   */
  public static UnitRanking unitScores(PrunableKernels kernels, Weights learned) {
    TransformerConfig config = kernels.config();
    float[][] heads = new float[config.numLayers()][];
    float[][] units = new float[config.numLayers()][];
    for (int layer = 0; layer < heads.length; layer++) {
      BlockShape block = config.blocks().get(layer);
      heads[layer] =
          lesser(
              bestOfColumns(scores(learned, kernels.attention(layer, "value")), block.numHeads()),
              bestOfRows(scores(learned, kernels.attention(layer, "output")), block.numHeads()));
      units[layer] =
          lesser(
              scores(learned, kernels.feedForward(layer, "up")).values(),
              scores(learned, kernels.feedForward(layer, "down")).values());
    }
    return new UnitRanking(config, heads, units);
  }

  private static Weights.Array scores(Weights learned, String kernel) {
    return learned.get(SCORE_PREFIX + kernel);
  }

  /** The largest score of each run of columns, one run a head. */
  private static float[] bestOfColumns(Weights.Array scores, int numHeads) {
    int width = Math.toIntExact(scores.shape().get(1));
    float[] best = lowest(numHeads);
    for (int i = 0; i < scores.values().length; i++) {
      int head = i % width * numHeads / width;
      best[head] = Math.max(best[head], scores.values()[i]);
    }
    return best;
  }

  /** The largest score of each run of rows, one run a head. */
  private static float[] bestOfRows(Weights.Array scores, int numHeads) {
    float[] best = lowest(numHeads);
    int perHead = scores.values().length / numHeads;
    for (int i = 0; i < scores.values().length; i++) {
      best[i / perHead] = Math.max(best[i / perHead], scores.values()[i]);
    }
    return best;
  }

  private static float[] lowest(int size) {
    float[] values = new float[size];
    Arrays.fill(values, Float.NEGATIVE_INFINITY);
    return values;
  }

  private static float[] lesser(float[] left, float[] right) {
    float[] lesser = new float[left.length];
    for (int i = 0; i < lesser.length; i++) {
      lesser[i] = Math.min(left[i], right[i]);
    }
    return lesser;
  }
}
