package org.lathe.training.optimization;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * What happens to each variable of one group: clipped and turned gradient, weight decay, the rule,
 * the value limit.
 */
final class GroupUpdate {
  private final ParameterGroup group;
  private final UpdateRule rule;
  private final @Nullable Operand<TFloat32> gradientFactor;
  private final Operand<TFloat32> decayFactor;
  private final Operand<TFloat32> valueLimit;

  /**
   * @param clipScale factor of global norm clipping; null = no clipping
   */
  GroupUpdate(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      ParameterGroup group,
      @Nullable Operand<TFloat32> clipScale) {
    this.group = group;
    Operand<TFloat32> learningRate =
        feeds.scalar(group.feedName("learning_rate"), group::learningRateAt);
    rule = UpdateRule.of(tf, catalog, feeds, group, learningRate);
    gradientFactor = gradientFactor(tf, group, clipScale);
    decayFactor = tf.math.mul(learningRate, tf.constant((float) group.optimizer().weightDecay()));
    valueLimit = tf.constant((float) group.valueLimit());
  }

  private static @Nullable Operand<TFloat32> gradientFactor(
      Ops tf, ParameterGroup group, @Nullable Operand<TFloat32> clipScale) {
    Operand<TFloat32> scale = group.clipped() ? clipScale : null;
    if (!group.ascend()) {
      return scale;
    }
    return scale == null ? tf.constant(-1f) : tf.math.neg(scale);
  }

  /**
   * @param tf ops that run after everything that reads variables for the loss or its gradients
   */
  Op update(Ops tf, Variable variable, Operand<TFloat32> gradient) {
    Ops next = tf;
    if (group.optimizer().weightDecay() > 0 && group.decayed().test(variable)) {
      Operand<TFloat32> value = tf.readVariableOp(variable.handle(), TFloat32.class);
      next =
          tf.withControlDependencies(
              tf.assignSubVariableOp(variable.handle(), tf.math.mul(value, decayFactor)));
    }
    Operand<TFloat32> descent =
        gradientFactor == null ? gradient : tf.math.mul(gradient, gradientFactor);
    Op updated = rule.update(next, variable, descent);
    if (group.valueLimit() == 0) {
      return updated;
    }
    Ops afterUpdate = tf.withControlDependencies(updated);
    Operand<TFloat32> value = afterUpdate.readVariableOp(variable.handle(), TFloat32.class);
    return afterUpdate.assignVariableOp(
        variable.handle(),
        afterUpdate.clipByValue(value, afterUpdate.math.neg(valueLimit), valueLimit));
  }
}
