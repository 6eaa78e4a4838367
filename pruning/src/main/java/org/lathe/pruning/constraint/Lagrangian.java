package org.lathe.pruning.constraint;

import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * R = lambda1 (s - t) + lambda2 (s - t)^2 (CoFi section 3.1, Wang et al. 2020), with the achieved
 * share s and the target t: minimized in the gate logits, maximized in the multipliers. Below the
 * target lambda1 falls and so rewards sparsity; lambda2 only grows.
 *
 * <p>The optimizer's group for {@link VariableGroup#MULTIPLIER} ascends, and limits the values to
 * +-{@link #MULTIPLIER_LIMIT}: Adam moves a multiplier by about its learning rate at every step
 * whatever the gap, so that without a limit an unreachable target winds lambda1 up until units that
 * matter are closed.
 */
public final class Lagrangian {
  /**
   * Bound of |lambda| (valueLimit of the multipliers' parameter group): about 20 times the loss of
   * a small language model, 3 nats. At 20 the demo's constraint lost to that loss and the reduction
   * stuck at 0.35 of 0.565.
   */
  public static final double MULTIPLIER_LIMIT = 60;

  private final Variable lambda1;
  private final Variable lambda2;

  /** Declares {@code multipliers/lambda1} and {@code multipliers/lambda2}, scalars from 0. */
  public Lagrangian(VariableCatalog catalog) {
    lambda1 = multiplier(catalog, "lambda1");
    lambda2 = multiplier(catalog, "lambda2");
  }

  public Variable lambda1() {
    return lambda1;
  }

  public Variable lambda2() {
    return lambda2;
  }

  /** The feed {@code pruning/target}. */
  public static Operand<TFloat32> target(ScalarFeeds feeds, TargetRamp ramp) {
    return feeds.scalar("pruning/target", ramp);
  }

  /**
   * R, a scalar. Example: lambda1 = -2, lambda2 = 3, s = 0.5, t = 0.6 gives 0.23.
   *
   * @param achieved s, see {@link PruningTarget#achieved}
   * @param target t
   */
  public Operand<TFloat32> loss(Ops tf, Operand<TFloat32> achieved, Operand<TFloat32> target) {
    Operand<TFloat32> gap = tf.math.sub(achieved, target);
    return tf.math.add(
        tf.math.mul(lambda1.read(), gap), tf.math.mul(lambda2.read(), tf.math.square(gap)));
  }

  private static Variable multiplier(VariableCatalog catalog, String word) {
    return catalog.declare(
        "multipliers/" + word, Shape.scalar(), Initializer.zeros(), VariableGroup.MULTIPLIER);
  }
}
