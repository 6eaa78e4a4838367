package org.lathe.pruning.masks;

import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToDoubleFunction;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.constraint.CubicRamp;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Unstructured pruning: of the n weights of all kernels together those with the largest scores
 * stay, the others are 0. At target t the min(n - 1, rint(t n)) smallest go; the mask is made anew
 * at every step.
 *
 * <pre>
 * W' = W M                                   what layers compute with
 * MAGNITUDE  scores |W|                      dL/dW = M dL/dW'                 (Zhu and Gupta 2017)
 * MOVEMENT   scores S, learned, from 0       dL/dW = M dL/dW', dL/dS = W dL/dW'
 *            a weight that moves away from 0 gains, one that moves towards it loses; the gradient
 *            passes straight through the choice        (Sanh et al. 2020, hard movement pruning)
 * </pre>
 *
 * @param sparsity final share of weights that are 0, in [0, 1)
 * @param firstStep at which it begins to rise: before that, scores learn what weights are worth
 * @param numRampSteps over which it rises, see {@link CubicRamp}
 */
public record GlobalMasks(Criterion criterion, double sparsity, long firstStep, long numRampSteps)
    implements MaskRule {

  /** What a weight is worth. */
  public enum Criterion {
    MAGNITUDE,
    MOVEMENT
  }

  @Override
  public Installed install(TrainingTask.Site site, PrunableKernels kernels) {
    Ops tf = site.tf();
    LongToDoubleFunction ramp = new CubicRamp(sparsity, firstStep, numRampSteps);
    Operand<TFloat32> target = site.feeds().scalar("pruning/target", ramp);
    List<String> names = kernels.names();
    List<Operand<TFloat32>> scores = new ArrayList<>();
    long numWeights = 0;
    for (String name : names) {
      Variable kernel = site.catalog().get(name);
      numWeights += kernel.size();
      scores.add(
          switch (criterion) {
            case MAGNITUDE -> tf.math.abs(tf.stopGradient(kernel.read()));
            case MOVEMENT ->
                site.catalog()
                    .declare(
                        SCORE_PREFIX + name,
                        kernel.shape(),
                        Initializer.zeros(),
                        VariableGroup.GATE)
                    .read();
          });
    }
    Operand<TFloat32> threshold = MaskOps.smallest(tf, scores, numRemoved(tf, target, numWeights));
    List<Operand<TFloat32>> kept = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Operand<TFloat32> score = scores.get(i);
      Operand<TFloat32> mask = MaskOps.constant(tf, tf.math.greaterEqual(score, threshold));
      kept.add(MaskOps.sum(tf, mask));
      Operand<TFloat32> factor =
          criterion == Criterion.MOVEMENT ? MaskOps.straightThrough(tf, mask, score) : mask;
      site.catalog().readThrough(names.get(i), kernel -> tf.math.mul(kernel, factor));
    }
    Operand<TFloat32> keptShare =
        tf.math.mul(tf.math.addN(kept), tf.constant((float) (1.0 / numWeights)));
    return new Installed(
        null,
        ImmutableMap.of(
            "reduction",
            tf.math.sub(tf.constant(1f), keptShare),
            "reductionTarget",
            tf.identity(target))); // a placeholder cannot be fetched
  }

  private static Operand<TInt32> numRemoved(Ops tf, Operand<TFloat32> target, long numWeights) {
    Operand<TFloat32> exact = tf.math.mul(target, tf.constant((float) numWeights));
    return tf.math.minimum(
        tf.dtypes.cast(tf.math.rint(exact), TInt32.class),
        tf.constant(Math.toIntExact(numWeights - 1)));
  }

  /**
   * The masks at the final sparsity: exactly so many zeros, equal scores in the order of names and
   * places.
   *
   * @param learned kernels, and where the criterion learns them scores
   */
  public WeightMasks masks(PrunableKernels kernels, Weights learned) {
    Weights scores = new Weights();
    for (String name : kernels.names()) {
      Weights.Array kernel = learned.get(name);
      scores.put(
          name,
          kernel.shape(),
          switch (criterion) {
            case MAGNITUDE -> magnitudes(kernel.values());
            case MOVEMENT -> learned.get(SCORE_PREFIX + name).values();
          });
    }
    return WeightMasks.largest(scores, sparsity);
  }

  private static float[] magnitudes(float[] values) {
    float[] magnitudes = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      magnitudes[i] = Math.abs(values[i]);
    }
    return magnitudes;
  }
}
