package org.lathe.training.optimization;

import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.train.ResourceApplyKerasMomentum;
import org.tensorflow.types.TFloat32;

/**
 * Nesterov's accelerated gradient as fairseq's optimizer "nag", which TRIME's WikiText-103 models
 * are trained with. Slot momentum holds the velocity u, zero at first. At step s from 0, gradient
 * g, rate a(s), momentum k:
 *
 * <pre>
 *   u = k c u - a g        c = a(s) / a(s - 1), 1 at step 0
 *   p = p + k u - a g
 * </pre>
 *
 * <p>The velocity holds past rates, so c rescales it when the rate changes. Where the rate before
 * was 0, c = a(s) as in later fairseq. Example: k = 0.9, a = 1, g = 1 twice from p = 0: u = -1, p =
 * -1.9, then u = -1.9, p = -4.61.
 */
final class Nag implements UpdateRule {
  private final VariableCatalog catalog;
  private final Operand<TFloat32> learningRate;
  private final Operand<TFloat32> momentum;
  private final Operand<TFloat32> velocityScale;

  Nag(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      ParameterGroup group,
      Operand<TFloat32> learningRate) {
    this.catalog = catalog;
    this.learningRate = learningRate;
    momentum = tf.constant((float) group.optimizer().momentum());
    velocityScale =
        feeds.scalar(group.feedName("velocity_scale"), step -> velocityScaleAt(group, step));
  }

  private static double velocityScaleAt(ParameterGroup group, long step) {
    if (step == 0) {
      return 1;
    }
    double rate = group.learningRateAt(step);
    double rateBefore = group.learningRateAt(step - 1);
    return rateBefore > 0 ? rate / rateBefore : rate;
  }

  @Override
  public Op update(Ops tf, Variable variable, Operand<TFloat32> gradient) {
    Variable velocity = OptimizerSlots.declare(catalog, variable, "momentum");
    Operand<TFloat32> velocityNow = tf.readVariableOp(velocity.handle(), TFloat32.class);
    Op rescale = tf.assignVariableOp(velocity.handle(), tf.math.mul(velocityNow, velocityScale));
    return tf.withControlDependencies(rescale)
        .train
        .resourceApplyKerasMomentum(
            variable.handle(),
            velocity.handle(),
            learningRate,
            gradient,
            momentum,
            ResourceApplyKerasMomentum.useNesterov(true));
  }
}
