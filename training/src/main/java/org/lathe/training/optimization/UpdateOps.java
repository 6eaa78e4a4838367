package org.lathe.training.optimization;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The ops that turn a loss into one optimizer step.
 *
 * <p>A loop feeds every scalar of {@link ScalarFeeds} with its value at the optimizer step s (from
 * 0) and runs, for k = accumulationSteps:
 *
 * <pre>
 *   micro-batches 1 .. k - 1:  target accumulate()
 *   micro-batch k:             target apply(), and fetch gradientNorm() if wanted
 * </pre>
 *
 * <p>The step's gradient is the mean of the k micro-batches' gradients; apply zeroes the sums.
 * Then, in this order: global norm clipping, ascent, weight decay, the optimizer's rule, value
 * limits. Not before every gradient, the loss and the reads of all variables are computed does an
 * update begin, so a loss fetched with apply is that of the values before the step.
 */
public final class UpdateOps {
  private final Op apply;
  private final @Nullable Op accumulate;
  private final Operand<TFloat32> gradientNorm;

  private UpdateOps(Op apply, @Nullable Op accumulate, Operand<TFloat32> gradientNorm) {
    this.apply = apply;
    this.accumulate = accumulate;
    this.gradientNorm = gradientNorm;
  }

  /**
   * Adds gradients, slots and updates to the graph. Slots are variables of group OPTIMIZER, named
   * {@code optimizer/<variable>/} and m, v, momentum or gradient_sum: make them before the session
   * is initialized. Feeds are named {@code optimizer/<group>/} and learning_rate, beta1_power,
   * beta2_power or velocity_scale.
   *
   * @param loss scalar
   * @param clipNorm greatest global norm of the gradients of the clipped groups, positive; 0 = no
   *     clipping. With n the norm, gradients are scaled by min(1, clipNorm / n) (Pascanu et al.
   *     2013)
   * @param accumulationSteps micro-batches a step, at least 1
   * @throws ConfigException when a number cannot be meant, or groups share a name or a variable
   * @throws GraphMismatchException naming a variable that gets no gradient from the loss
   */
  public static UpdateOps build(
      Ops tf,
      Graph graph,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      Operand<TFloat32> loss,
      List<ParameterGroup> groups,
      double clipNorm,
      int accumulationSteps) {
    Preconditions.checkArgument(
        loss.shape().numDimensions() == 0, "the loss has shape %s, not a scalar's", loss.shape());
    requireMeant(groups, clipNorm, accumulationSteps);

    List<Variable> variables = new ArrayList<>();
    groups.forEach(group -> variables.addAll(group.variables()));
    List<Operand<TFloat32>> ownGradients = Gradients.of(graph, loss, variables);

    Accumulation accumulation = null;
    List<Operand<TFloat32>> gradients = ownGradients;
    if (accumulationSteps > 1) {
      accumulation = Accumulation.of(tf, catalog, variables, ownGradients, accumulationSteps);
      gradients = accumulation.means();
    }

    List<Operand<TFloat32>> clippable = new ArrayList<>();
    int start = 0;
    for (ParameterGroup group : groups) {
      int end = start + group.variables().size();
      if (group.clipped()) {
        clippable.addAll(gradients.subList(start, end));
      }
      start = end;
    }
    Operand<TFloat32> norm = globalNorm(tf, clippable);

    // Nothing may be assigned while something still has to read: gradients, loss, the one read of
    // each variable (a gradient need not depend on it), the norm (it reads the sums).
    List<Op> before = new ArrayList<>(gradients);
    variables.forEach(variable -> before.add(variable.read()));
    before.add(loss);
    before.add(norm);
    Ops afterReads = tf.withControlDependencies(tf.withControlDependencies(before).noOp());

    List<Op> updates = new ArrayList<>();
    if (accumulation != null) {
      updates.addAll(accumulation.clear(afterReads));
    }
    Operand<TFloat32> clipScale = clipNorm > 0 ? clipScale(tf, norm, clipNorm) : null;
    start = 0;
    for (ParameterGroup group : groups) {
      int end = start + group.variables().size();
      GroupUpdate update = new GroupUpdate(tf, catalog, feeds, group, clipScale);
      for (int i = start; i < end; i++) {
        updates.add(update.update(afterReads, variables.get(i), gradients.get(i)));
      }
      start = end;
    }
    Op apply = tf.withControlDependencies(updates).noOp();
    return new UpdateOps(apply, accumulation == null ? null : accumulation.accumulate(), norm);
  }

  /** Target of a step's last micro-batch: updates all variables and slots, zeroes the sums. */
  public Op apply() {
    return apply;
  }

  /**
   * Target of the micro-batches before a step's last: adds their gradients to the sums and changes
   * nothing else. Null when there is one micro-batch a step.
   */
  public @Nullable Op accumulate() {
    return accumulate;
  }

  /**
   * Scalar: global norm of the step's gradient over the groups that take part in clipping, before
   * clipping; 0 when there are none. To be fetched with {@link #apply}, not with {@link
   * #accumulate}. Not finite when any such gradient is not; apply writes the damage into the
   * variables all the same, so a loop has to check.
   */
  public Operand<TFloat32> gradientNorm() {
    return gradientNorm;
  }

  private static void requireMeant(
      List<ParameterGroup> groups, double clipNorm, int accumulationSteps) {
    if (groups.isEmpty()) {
      throw new ConfigException("there is no parameter group; give at least one to train");
    }
    if (!(clipNorm >= 0 && Double.isFinite(clipNorm))) {
      throw new ConfigException(
          "clipNorm is %s; give 0 (no clipping) or a positive number".formatted(clipNorm));
    }
    if (accumulationSteps < 1) {
      throw new ConfigException(
          "accumulationSteps is %d; give 1 or more".formatted(accumulationSteps));
    }
    Set<String> names = new HashSet<>();
    Set<String> variables = new HashSet<>();
    for (ParameterGroup group : groups) {
      if (!names.add(group.name())) {
        throw new ConfigException(
            "two parameter groups are named '%s'; rename one".formatted(group.name()));
      }
      for (Variable variable : group.variables()) {
        if (!variables.add(variable.name())) {
          throw new ConfigException(
              "variable '%s' of parameter group '%s' is in a group already; list it once"
                  .formatted(variable.name(), group.name()));
        }
      }
    }
  }

  /** sqrt(2 sum l2Loss(g)), where l2Loss(g) = sum(g^2) / 2. */
  private static Operand<TFloat32> globalNorm(Ops tf, List<Operand<TFloat32>> gradients) {
    if (gradients.isEmpty()) {
      return tf.constant(0f);
    }
    List<Operand<TFloat32>> halfSquares =
        gradients.stream()
            .<Operand<TFloat32>>map(gradient -> tf.nn.l2Loss(gradient))
            .collect(ImmutableList.toImmutableList());
    return tf.math.sqrt(tf.math.mul(tf.constant(2f), tf.math.addN(halfSquares)));
  }

  /** min(1, limit / norm), written so that norm 0 divides limit by limit. */
  private static Operand<TFloat32> clipScale(Ops tf, Operand<TFloat32> norm, double clipNorm) {
    Operand<TFloat32> limit = tf.constant((float) clipNorm);
    return tf.math.div(limit, tf.math.maximum(norm, limit));
  }
}
