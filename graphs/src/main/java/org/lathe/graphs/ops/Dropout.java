package org.lathe.graphs.ops;

import com.google.common.base.Preconditions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.config.TransformerConfig.InnerDropout;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.random.StatelessRandomUniform;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Inverted dropout from stateless random numbers: kept values are divided by 1 - rate. Every call
 * site gets its own number, so that (run seed, site, step) fixes the mask and a resumed run draws
 * the same masks as a straight one.
 */
public final class Dropout {
  /** Leaves every operand as it is and adds no op. */
  public static final Dropout NONE = new Dropout(0, 0, 0, null, 0);

  private final double rate;
  private final double attentionRate;
  private final double activationRate;
  private final @Nullable Operand<TInt32> step;
  private final int seed;
  private int numSites;

  private Dropout(
      double rate,
      double attentionRate,
      double activationRate,
      @Nullable Operand<TInt32> step,
      int seed) {
    this.rate = rate;
    this.attentionRate = attentionRate;
    this.activationRate = activationRate;
    this.step = step;
    this.seed = seed;
  }

  /**
   * One rate for embeddings, sublayer outputs and attention probabilities; activations stay whole.
   *
   * @param step scalar that is fed with another number at every micro-step
   */
  public static Dropout of(double rate, int seed, Operand<TInt32> step) {
    Preconditions.checkArgument(rate >= 0 && rate < 1, "dropout (%s) must be in [0, 1)", rate);
    return rate == 0 ? NONE : new Dropout(rate, rate, 0, step, seed);
  }

  /** The rates of a model. */
  public static Dropout of(TransformerConfig config, int seed, Operand<TInt32> step) {
    InnerDropout inner = config.innerDropout();
    if (inner == null) {
      return of(config.dropout(), seed, step);
    }
    return config.dropout() == 0 && inner.attention() == 0 && inner.activation() == 0
        ? NONE
        : new Dropout(config.dropout(), inner.attention(), inner.activation(), step, seed);
  }

  /** Embeddings and sublayer outputs; same shape as x. */
  public Operand<TFloat32> call(Ops tf, Operand<TFloat32> x) {
    return drop(tf, x, rate);
  }

  /** Attention probabilities; same shape as x. */
  public Operand<TFloat32> attention(Ops tf, Operand<TFloat32> x) {
    return drop(tf, x, attentionRate);
  }

  /** Activations of a feed-forward sublayer; same shape as x. */
  public Operand<TFloat32> activation(Ops tf, Operand<TFloat32> x) {
    return drop(tf, x, activationRate);
  }

  private Operand<TFloat32> drop(Ops tf, Operand<TFloat32> x, double dropRate) {
    if (step == null || dropRate == 0) {
      return x;
    }
    // 7919 spreads neighbouring run seeds over the site numbers
    Operand<TInt32> siteAndStep = tf.stack(List.of(tf.constant(seed * 7919 + numSites++), step));
    StatelessRandomUniform<TFloat32> uniform =
        tf.random.statelessRandomUniform(tf.shape(x), siteAndStep, TFloat32.class);
    // a condition is kept for the backward pass in a byte a value, where a factor takes four
    Operand<TBool> kept = tf.math.greaterEqual(uniform, tf.constant((float) dropRate));
    return tf.select(
        kept, tf.math.mul(x, tf.constant((float) (1 / (1 - dropRate)))), tf.constant(0f));
  }
}
