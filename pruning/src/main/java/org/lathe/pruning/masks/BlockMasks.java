package org.lathe.pruning.masks;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.CubicRamp;
import org.lathe.pruning.plan.UnitRanking;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Block movement pruning, hybrid (Lagunas et al. 2021): one learned score S, from 0, of each block
 * of an attention kernel and of each feed-forward unit, whose column of up and row of down share
 * it.
 *
 * <pre>
 * M = 1 where sigma(S) > theta, and for the best 0.5 % of the scores of each kernel
 * W' = W M                     a block's weights share its M
 * dL/dW = M dL/dW'             dL/dS = sum over the block of W dL/dW', straight through M and sigma
 * penalty = lambda (theta / 0.1) (1/2 mean over attention kernels of mean sigma(S)
 *                                 + 1/2 mean over feed-forward layers of mean sigma(S))
 * </pre>
 *
 * theta rises from 0 to 0.1. Which heads and units stay is read from the scores: {@link
 * #unitScores}.
 *
 * @param penalty lambda; larger empties more blocks
 * @param firstStep at which theta begins to rise
 * @param numRampSteps over which theta rises, see {@link CubicRamp}
 */
public record BlockMasks(double penalty, long firstStep, long numRampSteps) implements MaskRule {
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
        site.feeds()
            .scalar("pruning/threshold", new CubicRamp(FINAL_THRESHOLD, firstStep, numRampSteps));
    Masks attention = new Masks(site, kernels, threshold);
    Masks feedForward = new Masks(site, kernels, threshold);
    for (int layer = 0; layer < kernels.config().numLayers(); layer++) {
      BlockShape block = kernels.config().blocks().get(layer);
      if (block.attentionPresent()) {
        for (String word : PrunableKernels.ATTENTION) {
          String name = kernels.attention(layer, word);
          attention.add(name, List.of(name));
        }
      }
      if (block.feedForwardPresent()) {
        feedForward.add(
            units(kernels, layer),
            List.of(kernels.feedForward(layer, "up"), kernels.feedForward(layer, "down")));
      }
    }
    List<Masks> kinds =
        Stream.of(attention, feedForward).filter(kind -> !kind.means.isEmpty()).toList();
    List<Operand<TFloat32>> means = new ArrayList<>();
    List<Operand<TFloat32>> keptWeights = new ArrayList<>();
    long numWeights = 0;
    for (Masks kind : kinds) {
      means.add(
          tf.math.mul(
              tf.math.addN(kind.means),
              tf.constant((float) (1.0 / kinds.size() / kind.means.size()))));
      keptWeights.addAll(kind.keptWeights);
      numWeights += kind.numWeights;
    }
    Operand<TFloat32> strength =
        tf.math.mul(threshold, tf.constant((float) (penalty / FINAL_THRESHOLD)));
    Operand<TFloat32> keptShare =
        tf.math.mul(tf.math.addN(keptWeights), tf.constant((float) (1.0 / numWeights)));
    return new Installed(
        tf.math.mul(tf.math.addN(means), strength),
        ImmutableMap.of("reduction", tf.math.sub(tf.constant(1f), keptShare)));
  }

  /** Of one layer's units, under {@link MaskRule#SCORE_PREFIX}. */
  private static String units(PrunableKernels kernels, int layer) {
    return kernels.prefix() + "/layer_" + layer + "/feed_forward/units";
  }

  /** The masks of the attention kernels, or of the feed-forward units. */
  private static final class Masks {
    private final TrainingTask.Site site;
    private final PrunableKernels kernels;
    private final Operand<TFloat32> threshold;
    private final List<Operand<TFloat32>> means = new ArrayList<>();
    private final List<Operand<TFloat32>> keptWeights = new ArrayList<>();
    private long numWeights;

    private Masks(TrainingTask.Site site, PrunableKernels kernels, Operand<TFloat32> threshold) {
      this.site = site;
      this.kernels = kernels;
      this.threshold = threshold;
    }

    /**
     * @param name of the scores
     * @param sharers kernels that read them, with as many blocks each
     */
    private void add(String name, List<String> sharers) {
      Ops tf = site.tf();
      Shape shape = grid(sharers.get(0)).scoreShape();
      Operand<TFloat32> score =
          site.catalog()
              .declare(SCORE_PREFIX + name, shape, Initializer.zeros(), VariableGroup.GATE)
              .read();
      Operand<TFloat32> open = tf.math.sigmoid(score);
      Operand<TFloat32> mask = mask(tf, open, threshold, shape.size());
      Operand<TFloat32> factor = MaskOps.straightThrough(tf, mask, score);
      means.add(tf.math.mean(open, tf.constant(new int[] {0, 1})));
      for (String sharer : sharers) {
        BlockGrid grid = grid(sharer);
        site.catalog().readThrough(sharer, value -> grid.multiply(tf, value, factor));
        keptWeights.add(
            tf.math.mul(MaskOps.sum(tf, mask), tf.constant((float) grid.weightsPerBlock())));
        numWeights += site.catalog().get(sharer).size();
      }
    }

    private BlockGrid grid(String kernel) {
      return BlockGrid.of(kernels.config(), kernel, site.catalog().get(kernel).shape());
    }
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
   * What the learned scores say of heads and units: a head is worth its best block in query, key or
   * value, whichever is least, since it goes with any of the three; a unit is worth its score. So
   * what stays above logit(0.1) is what the published method leaves, and moving that bound meets a
   * target.
   */
  public static UnitRanking unitScores(PrunableKernels kernels, Weights learned) {
    TransformerConfig config = kernels.config();
    float[][] heads = new float[config.numLayers()][];
    float[][] units = new float[config.numLayers()][];
    for (int layer = 0; layer < heads.length; layer++) {
      BlockShape block = config.blocks().get(layer);
      heads[layer] =
          block.attentionPresent()
              ? lesser(
                  bestOfHeads(kernels, learned, layer, "query"),
                  lesser(
                      bestOfHeads(kernels, learned, layer, "key"),
                      bestOfHeads(kernels, learned, layer, "value")))
              : new float[0];
      units[layer] =
          block.feedForwardPresent()
              ? scores(learned, units(kernels, layer)).values()
              : new float[0];
    }
    return new UnitRanking(config, heads, units);
  }

  private static Weights.Array scores(Weights learned, String name) {
    return learned.get(SCORE_PREFIX + name);
  }

  /** The largest score of each run of columns, one run a head. */
  private static float[] bestOfHeads(
      PrunableKernels kernels, Weights learned, int layer, String word) {
    Weights.Array scores = scores(learned, kernels.attention(layer, word));
    int numHeads = kernels.config().blocks().get(layer).numHeads();
    int width = Math.toIntExact(scores.shape().get(1));
    float[] best = new float[numHeads];
    Arrays.fill(best, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < scores.values().length; i++) {
      int head = i % width * numHeads / width;
      best[head] = Math.max(best[head], scores.values()[i]);
    }
    return best;
  }

  private static float[] lesser(float[] left, float[] right) {
    float[] lesser = new float[left.length];
    for (int i = 0; i < lesser.length; i++) {
      lesser[i] = Math.min(left[i], right[i]);
    }
    return lesser;
  }
}
