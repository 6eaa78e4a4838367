package org.lathe.graphs.variables;

import com.google.common.base.Preconditions;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongToDoubleFunction;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Scalars of a training graph that change from step to step: learning rates, warm-up switches, the
 * sparsity target. Each is a placeholder with a function of the step number, so that a step's feeds
 * need no state and a resumed run feeds what a straight one would.
 */
public final class ScalarFeeds {
  /** A scalar placeholder and its value over time. */
  public record Feed(Placeholder<TFloat32> placeholder, LongToDoubleFunction valueAtStep) {}

  private final Ops tf;
  private final Placeholder<TInt32> step;
  private final Map<String, Feed> feeds = new LinkedHashMap<>();

  public ScalarFeeds(Ops tf) {
    this.tf = tf;
    this.step = tf.withName("step").placeholder(TInt32.class, Placeholder.shape(Shape.scalar()));
  }

  /** The number of the micro-step, from 0; seeds dropout and gate samples. */
  public Placeholder<TInt32> step() {
    return step;
  }

  /**
   * @param name unique; words separated by slashes
   * @param valueAtStep value to feed at optimizer step s, from 0
   */
  public Operand<TFloat32> scalar(String name, LongToDoubleFunction valueAtStep) {
    Preconditions.checkArgument(!feeds.containsKey(name), "feed '%s' is declared twice", name);
    Placeholder<TFloat32> placeholder =
        tf.withName("feed." + name.replace('/', '.'))
            .placeholder(TFloat32.class, Placeholder.shape(Shape.scalar()));
    feeds.put(name, new Feed(placeholder, valueAtStep));
    return placeholder;
  }

  /** By name, in order of declaration. */
  public Map<String, Feed> all() {
    return Collections.unmodifiableMap(feeds);
  }
}
