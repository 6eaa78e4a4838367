package org.lathe.training.optimization;

import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Adam (Kingma and Ba 2015, the form at the end of its section 2) with slots m and v, both zero at
 * first. At step s from 0, t = s + 1, gradient g and rate a:
 *
 * <pre>
 *   m = beta1 m + (1 - beta1) g
 *   v = beta2 v + (1 - beta2) g^2
 *   p = p - a sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
 * </pre>
 *
 * <p>The W, weight decay apart from the gradient (Loshchilov and Hutter 2019), is done for all
 * rules before. Example: the first step without decay moves p by a g / (|g| + epsilon / sqrt(1 -
 * beta2)), so almost by the rate. Epsilon stands outside of the bias correction as in fairseq and
 * in TensorFlow's kernel; torch.optim.AdamW has it inside.
 */
final class AdamW implements UpdateRule {
  private final VariableCatalog catalog;
  private final Operand<TFloat32> learningRate;
  private final Operand<TFloat32> beta1;
  private final Operand<TFloat32> beta2;
  private final Operand<TFloat32> epsilon;
  private final Operand<TFloat32> beta1Power;
  private final Operand<TFloat32> beta2Power;

  AdamW(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      ParameterGroup group,
      Operand<TFloat32> learningRate) {
    OptimizerConfig config = group.optimizer();
    this.catalog = catalog;
    this.learningRate = learningRate;
    beta1 = tf.constant((float) config.beta1());
    beta2 = tf.constant((float) config.beta2());
    epsilon = tf.constant((float) config.epsilon());
    beta1Power =
        feeds.scalar(group.feedName("beta1_power"), step -> Math.pow(config.beta1(), step + 1.0));
    beta2Power =
        feeds.scalar(group.feedName("beta2_power"), step -> Math.pow(config.beta2(), step + 1.0));
  }

  @Override
  public Op update(Ops tf, Variable variable, Operand<TFloat32> gradient) {
    Variable firstMoment = OptimizerSlots.declare(catalog, variable, "m");
    Variable secondMoment = OptimizerSlots.declare(catalog, variable, "v");
    return tf.train.resourceApplyAdam(
        variable.handle(),
        firstMoment.handle(),
        secondMoment.handle(),
        beta1Power,
        beta2Power,
        learningRate,
        beta1,
        beta2,
        epsilon,
        gradient);
  }
}
