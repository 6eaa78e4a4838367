package org.lathe.graphs.layers;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gather;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Turns the states that leave a layer's memory into fewer slots (Rae et al. 2020, section 3.2). The
 * convolution has kernel and stride c, so it is one linear map of c states laid side by side; it
 * starts as their mean. Names {@code name/kernel} (c*D, D) and {@code name/bias}.
 *
 * <p>Shape letters: B batch, T leaving states, c rate, S = T / c slots, D hidden.
 */
public final class MemoryCompressor {
  private final CompressionConfig config;
  private final int hiddenSize;
  private final @Nullable Linear convolution;

  public MemoryCompressor(
      VariableCatalog catalog,
      String name,
      CompressionConfig config,
      int hiddenSize,
      VariableGroup group) {
    this.config = config;
    this.hiddenSize = hiddenSize;
    convolution =
        config.learned()
            ? new Linear(
                catalog,
                name,
                config.rate() * hiddenSize,
                hiddenSize,
                true,
                Initializer.values(mean(config.rate(), hiddenSize)),
                group)
            : null;
  }

  /** The kernel of the mean: c identities below each other, divided by c. */
  private static float[] mean(int rate, int hiddenSize) {
    float[] kernel = new float[rate * hiddenSize * hiddenSize];
    for (int row = 0; row < rate * hiddenSize; row++) {
      kernel[row * hiddenSize + row % hiddenSize] = 1f / rate;
    }
    return kernel;
  }

  /**
   * (B, T, D) -> (B, S, D), oldest first; T is a multiple of c.
   *
   * @param usageBT attention that the states got (MOST_USED)
   * @param validBT 1 where there is a state
   */
  Operand<TFloat32> call(
      Ops tf, Operand<TFloat32> leavingBTD, Operand<TFloat32> usageBT, Operand<TFloat32> validBT) {
    return switch (config.kind()) {
      case NONE -> throw new IllegalStateException("nothing is compressed");
      case MEAN_POOLING -> tf.math.mean(grouped(tf, leavingBTD), tf.constant(2));
      case MAX_POOLING -> tf.reduceMax(grouped(tf, leavingBTD), tf.constant(2));
      case CONVOLUTION -> convolved(tf, leavingBTD);
      case MOST_USED -> mostUsed(tf, leavingBTD, tf.math.add(usageBT, validBT));
    };
  }

  /**
   * Which slots hold something, (B, T) -> (B, S): those all of whose states are there; of the most
   * used, which keep their order, as many of the last as there are states.
   */
  public static Operand<TFloat32> valid(
      Ops tf, CompressionConfig config, Operand<TFloat32> validBT) {
    Operand<TInt32> batchSize = dimension(tf, validBT, 0);
    Operand<TInt32> numSlots =
        tf.math.floorDiv(dimension(tf, validBT, 1), tf.constant(config.rate()));
    if (config.kind() == CompressionConfig.Kind.MOST_USED) {
      return tf.slice(
          validBT,
          tf.stack(List.of(tf.constant(0), tf.math.sub(dimension(tf, validBT, 1), numSlots))),
          tf.constant(new int[] {-1, -1}));
    }
    return tf.reduceMin(
        tf.reshape(validBT, tf.stack(List.of(batchSize, numSlots, tf.constant(config.rate())))),
        tf.constant(2));
  }

  /** (B, T, D) -> (B, S, c, D). */
  private Operand<TFloat32> grouped(Ops tf, Operand<TFloat32> leavingBTD) {
    return tf.reshape(
        leavingBTD,
        tf.stack(
            List.of(
                dimension(tf, leavingBTD, 0),
                numSlots(tf, leavingBTD),
                tf.constant(config.rate()),
                tf.constant(hiddenSize))));
  }

  private Operand<TFloat32> convolved(Ops tf, Operand<TFloat32> leavingBTD) {
    Operand<TFloat32> sideBySide =
        tf.reshape(leavingBTD, tf.constant(new int[] {-1, config.rate() * hiddenSize}));
    Operand<TFloat32> slots =
        Objects.requireNonNull(convolution, "declared for this kind").call(tf, sideBySide);
    return tf.reshape(
        slots,
        tf.stack(
            List.of(
                dimension(tf, leavingBTD, 0), numSlots(tf, leavingBTD), tf.constant(hiddenSize))));
  }

  /** A missing state has neither usage nor validity, so it comes after every other. */
  private Operand<TFloat32> mostUsed(
      Ops tf, Operand<TFloat32> leavingBTD, Operand<TFloat32> meritBT) {
    Operand<TInt32> best = tf.nn.topK(meritBT, numSlots(tf, leavingBTD), TInt32.class).indices();
    Operand<TInt32> inOrder =
        tf.math.neg(tf.nn.topK(tf.math.neg(best), numSlots(tf, leavingBTD), TInt32.class).values());
    return tf.gather(leavingBTD, inOrder, tf.constant(1), Gather.batchDims(1L));
  }

  private Operand<TInt32> numSlots(Ops tf, Operand<TFloat32> leavingBTD) {
    return tf.math.floorDiv(dimension(tf, leavingBTD, 1), tf.constant(config.rate()));
  }

  private static Operand<TInt32> dimension(Ops tf, Operand<TFloat32> x, int axis) {
    return tf.gather(tf.shape(x), tf.constant(axis), tf.constant(0));
  }
}
