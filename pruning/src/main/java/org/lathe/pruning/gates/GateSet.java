package org.lathe.pruning.gates;

import com.google.common.base.Preconditions;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The gates of one model in a graph: sampled anew at every step ({@link #sampled}, training) or fed
 * ({@link #fed}, evaluation). A model may be called with both in one graph; they share no ops.
 */
public final class GateSet implements Gates {
  private static final double INITIAL_STANDARD_DEVIATION = 0.01;

  private final Ops tf;
  private final Map<GateKind, Operand<TFloat32>> values;
  private final Map<GateKind, Variable> logAlphas;
  private final Map<GateKind, Placeholder<TFloat32>> placeholders;

  private GateSet(
      Ops tf,
      Map<GateKind, Operand<TFloat32>> values,
      Map<GateKind, Variable> logAlphas,
      Map<GateKind, Placeholder<TFloat32>> placeholders) {
    this.tf = tf;
    this.values = values;
    this.logAlphas = logAlphas;
    this.placeholders = placeholders;
  }

  /**
   * Declares the logits of these kinds in group GATE and samples every gate once a step, shared by
   * all examples and positions. (seed, kind, step) fixes the sample. The optimizer's group limits
   * the logits, see {@link HardConcrete#LOG_ALPHA_LIMIT}.
   *
   * @param initial means of the logits; standard deviation 0.01
   * @param step scalar that is fed with another number at every micro-step
   * @throws org.lathe.graphs.errors.ConfigException when the model's blocks differ
   */
  public static GateSet sampled(
      Ops tf,
      VariableCatalog catalog,
      TransformerConfig config,
      Set<GateKind> kinds,
      InitialLogAlpha initial,
      int seed,
      Operand<TInt32> step) {
    Map<GateKind, Operand<TFloat32>> values = new EnumMap<>(GateKind.class);
    Map<GateKind, Variable> logAlphas = new EnumMap<>(GateKind.class);
    for (GateKind kind : kinds) {
      Variable logAlpha =
          catalog.declare(
              kind.variableName(),
              kind.shape(config),
              around(initial.of(kind)),
              VariableGroup.GATE);
      // dropout sites count up from seed * 7919, gates down
      Operand<TInt32> kindAndStep =
          tf.stack(List.of(tf.constant(seed * 7919 - kind.randomStream()), step));
      Operand<TFloat32> uniform =
          tf.random.statelessRandomUniform(
              tf.constant(kind.shape(config).asArray()), kindAndStep, TFloat32.class);
      logAlphas.put(kind, logAlpha);
      values.put(kind, HardConcrete.sample(tf, uniform, logAlpha.read()));
    }
    return new GateSet(tf, values, logAlphas, Map.of());
  }

  private static Initializer around(double mean) {
    return (ops, shape, seed) ->
        ops.math.add(
            Initializer.truncatedNormal(INITIAL_STANDARD_DEVIATION).call(ops, shape, seed),
            ops.constant((float) mean));
  }

  /**
   * Gates whose values are fed, for these kinds: see {@link #placeholders()} and {@link
   * GateValues#flat}. Declares no variables.
   *
   * @throws org.lathe.graphs.errors.ConfigException when the model's blocks differ
   */
  public static GateSet fed(Ops tf, TransformerConfig config, Set<GateKind> kinds) {
    Map<GateKind, Operand<TFloat32>> values = new EnumMap<>(GateKind.class);
    Map<GateKind, Placeholder<TFloat32>> placeholders = new EnumMap<>(GateKind.class);
    for (GateKind kind : kinds) {
      Placeholder<TFloat32> placeholder =
          tf.placeholder(TFloat32.class, Placeholder.shape(kind.shape(config)));
      placeholders.put(kind, placeholder);
      values.put(kind, placeholder);
    }
    return new GateSet(tf, values, Map.of(), placeholders);
  }

  /** What to feed, by kind; empty for sampled gates. */
  public Map<GateKind, Placeholder<TFloat32>> placeholders() {
    return Collections.unmodifiableMap(placeholders);
  }

  /** The logits, by kind; empty for fed gates. */
  public Map<GateKind, Variable> logAlphas() {
    return Collections.unmodifiableMap(logAlphas);
  }

  /**
   * P(z > 0) of all gates of a kind, in the kind's shape, or null where the kind has no gates.
   *
   * @throws IllegalStateException for fed gates, which have no distribution
   */
  public @Nullable Operand<TFloat32> openProbability(GateKind kind) {
    Preconditions.checkState(placeholders.isEmpty(), "fed gates have no distribution");
    return logAlphas.containsKey(kind)
        ? HardConcrete.openProbability(tf, Objects.requireNonNull(logAlphas.get(kind)).read())
        : null;
  }

  /**
   * [L]: 1 where the attention or the feed-forward layer gate is open, else 0; null when one of
   * these kinds has no gates. Without gradient: the students that layer distillation may match.
   */
  public @Nullable Operand<TFloat32> existingLayers() {
    Operand<TFloat32> attention = values.get(GateKind.ATTENTION_LAYER);
    Operand<TFloat32> feedForward = values.get(GateKind.FEED_FORWARD_LAYER);
    if (attention == null || feedForward == null) {
      return null; // sublayers of a kind without gates always exist
    }
    Operand<TFloat32> larger = tf.math.maximum(attention, feedForward);
    return tf.stopGradient(
        tf.dtypes.cast(tf.math.greater(larger, tf.constant(0f)), TFloat32.class));
  }

  @Override
  public @Nullable Operand<TFloat32> hidden() {
    return values.get(GateKind.HIDDEN);
  }

  @Override
  public @Nullable Operand<TFloat32> heads(int layer) {
    return row(GateKind.HEADS, layer);
  }

  @Override
  public @Nullable Operand<TFloat32> intermediate(int layer) {
    return row(GateKind.INTERMEDIATE, layer);
  }

  @Override
  public @Nullable Operand<TFloat32> attentionLayer(int layer) {
    return row(GateKind.ATTENTION_LAYER, layer);
  }

  @Override
  public @Nullable Operand<TFloat32> feedForwardLayer(int layer) {
    return row(GateKind.FEED_FORWARD_LAYER, layer);
  }

  private @Nullable Operand<TFloat32> row(GateKind kind, int layer) {
    Operand<TFloat32> all = values.get(kind);
    return all == null ? null : tf.gather(all, tf.constant(layer), tf.constant(0));
  }
}
