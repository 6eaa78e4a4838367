package org.lathe.training.optimization;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.function.Predicate;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.variables.Variable;

/**
 * Variables that are updated by the same rule and rate.
 *
 * @param name unique in its list of groups; feeds are named {@code optimizer/<name>/...}
 * @param variables those that the loss reaches, each in one group only
 * @param schedule factor on the optimizer's learning rate
 * @param clipped whether the group takes part in clipping by global norm: its gradients count for
 *     the norm and are scaled
 * @param ascend whether the loss is maximized over these variables (Lagrange multipliers): their
 *     gradients are negated
 * @param valueLimit after the update, values are clipped to [-valueLimit, valueLimit] (CoFi's clip
 *     of log alpha); 0 = no limit
 * @param decayed which of the variables weight decay applies to; {@link #decaysByDefault} unless
 *     told
 */
public record ParameterGroup(
    String name,
    List<Variable> variables,
    OptimizerConfig optimizer,
    Schedule schedule,
    boolean clipped,
    boolean ascend,
    double valueLimit,
    Predicate<Variable> decayed) {

  /**
   * @throws ConfigException for an empty group, a name that is no word or a negative limit
   */
  public ParameterGroup {
    variables = ImmutableList.copyOf(variables);
    if (!name.matches("[A-Za-z0-9_]+")) {
      throw new ConfigException(
          "parameter group name '%s' must be letters, digits and _".formatted(name));
    }
    if (variables.isEmpty()) {
      throw new ConfigException(
          "parameter group '%s' has no variables; leave the group out".formatted(name));
    }
    if (!(valueLimit >= 0 && Double.isFinite(valueLimit))) {
      throw new ConfigException(
          "parameter group '%s' has valueLimit %s; give 0 or a positive number"
              .formatted(name, valueLimit));
    }
  }

  /** Minimizes, is clipped, has no value limit and the default rule of weight decay. */
  public static ParameterGroup of(
      String name, List<Variable> variables, OptimizerConfig optimizer, Schedule schedule) {
    return new ParameterGroup(
        name, variables, optimizer, schedule, true, false, 0, ParameterGroup::decaysByDefault);
  }

  /**
   * The rule of weight decay: matrices and higher ranks decay; vectors and scalars (biases, gains
   * of norms, gate logits, multipliers) do not.
   */
  public static boolean decaysByDefault(Variable variable) {
    return variable.shape().numDimensions() >= 2;
  }

  /** This group, outside of clipping by global norm. */
  public ParameterGroup unclipped() {
    return new ParameterGroup(
        name, variables, optimizer, schedule, false, ascend, valueLimit, decayed);
  }

  /** This group, maximizing the loss. */
  public ParameterGroup ascending() {
    return new ParameterGroup(
        name, variables, optimizer, schedule, clipped, true, valueLimit, decayed);
  }

  public ParameterGroup withValueLimit(double limit) {
    return new ParameterGroup(
        name, variables, optimizer, schedule, clipped, ascend, limit, decayed);
  }

  /** Peak rate times the schedule's factor. */
  double learningRateAt(long step) {
    return optimizer.learningRate() * schedule.factorAt(step);
  }

  String feedName(String scalar) {
    return "optimizer/" + name + "/" + scalar;
  }
}
