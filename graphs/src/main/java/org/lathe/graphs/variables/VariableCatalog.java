package org.lathe.graphs.variables;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Every variable of one graph, in order of declaration. Layers declare here; optimizers,
 * checkpoints and exporters ask here, by group, and never walk the graph. Names come out exactly as
 * declared (TensorFlow's own scopes rename silently), so they are checkpoint keys.
 */
public final class VariableCatalog {
  private final Ops tf;
  private final long seed;
  private final Map<String, Variable> variables = new LinkedHashMap<>();

  /**
   * @param tf ops of the graph that will hold the variables
   * @param seed of the initial values; each variable mixes in its name, so that adding one does not
   *     change the others
   */
  public VariableCatalog(Ops tf, long seed) {
    this.tf = tf;
    this.seed = seed;
  }

  /**
   * @throws IllegalArgumentException when the name is taken or is not slash-separated words
   */
  public Variable declare(String name, Shape shape, Initializer initializer, VariableGroup group) {
    Preconditions.checkArgument(
        name.matches("[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*"),
        "variable name '%s' must be words of letters, digits and _ separated by /",
        name);
    Preconditions.checkArgument(
        !variables.containsKey(name), "variable '%s' is declared twice", name);
    long variableSeed =
        Hashing.murmur3_128().hashString(name, StandardCharsets.UTF_8).asLong() ^ (seed * 0x9E37L);
    Variable variable = new Variable(tf, name, shape, group, initializer, variableSeed);
    variables.put(name, variable);
    return variable;
  }

  /** In order of declaration. */
  public List<Variable> all() {
    return ImmutableList.copyOf(variables.values());
  }

  /** Variables of these groups, in order of declaration. */
  public List<Variable> of(VariableGroup first, VariableGroup... rest) {
    Set<VariableGroup> groups = EnumSet.of(first, rest);
    return variables.values().stream()
        .filter(v -> groups.contains(v.group()))
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * @throws IllegalArgumentException when there is none of that name
   */
  public Variable get(String name) {
    Variable variable = variables.get(name);
    Preconditions.checkArgument(variable != null, "no variable is named '%s'", name);
    return Objects.requireNonNull(variable);
  }

  /**
   * Puts something, such as a mask, between a variable and the layers that compute with it. Its
   * stored value, its updates and its checkpoints stay as they are, and gradients are taken with
   * respect to it, through the transform. Without a call no op is added.
   *
   * @param transform from the variable's read to a value of the same shape; called once, when the
   *     first layer asks
   * @throws IllegalArgumentException when there is no variable of that name
   * @throws IllegalStateException when it has a transform, or a layer has asked for its value
   */
  public void readThrough(String name, UnaryOperator<Operand<TFloat32>> transform) {
    get(name).readThrough(transform);
  }

  /**
   * Lets layers compute with something else than this variable, such as a smaller form of it that
   * lies in another one. Its own read has no reader then, unless somebody asks for it.
   *
   * @throws IllegalArgumentException when there is no variable of that name
   * @throws IllegalStateException when it is transformed already, or a layer has asked for its
   *     value
   */
  public void computeFrom(String name, ValueSource source) {
    get(name).computeFrom(source);
  }
}
