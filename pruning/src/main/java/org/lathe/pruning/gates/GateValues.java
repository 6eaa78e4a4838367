package org.lathe.pruning.gates;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Floats;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;

/**
 * One fixed value in [0, 1] for every gate of a model, 0 = removed. Kinds without gates are all 1.
 * Arrays are not copied.
 *
 * @param hidden [D]
 * @param heads [L][N of the layer]
 * @param intermediate [L][F of the layer]
 * @param attentionLayer [L]
 * @param feedForwardLayer [L]
 */
public record GateValues(
    float[] hidden,
    float[][] heads,
    float[][] intermediate,
    float[] attentionLayer,
    float[] feedForwardLayer) {

  public GateValues {
    int numLayers = attentionLayer.length;
    Preconditions.checkArgument(
        heads.length == numLayers
            && intermediate.length == numLayers
            && feedForwardLayer.length == numLayers,
        "gates of %s attention layers, but of %s, %s and %s layers elsewhere",
        numLayers,
        heads.length,
        intermediate.length,
        feedForwardLayer.length);
    checkRange(hidden);
    checkRange(attentionLayer);
    checkRange(feedForwardLayer);
    for (int layer = 0; layer < numLayers; layer++) {
      checkRange(heads[layer]);
      checkRange(intermediate[layer]);
    }
  }

  /** All gates 1. */
  public static GateValues allOpen(TransformerConfig config) {
    int numLayers = config.numLayers();
    float[][] heads = new float[numLayers][];
    float[][] intermediate = new float[numLayers][];
    for (int layer = 0; layer < numLayers; layer++) {
      BlockShape block = config.blocks().get(layer);
      heads[layer] = ones(block.numHeads());
      intermediate[layer] = ones(block.intermediateSize());
    }
    return new GateValues(
        ones(config.hiddenSize()), heads, intermediate, ones(numLayers), ones(numLayers));
  }

  /** {@link #deterministic(GateLogits, int)} without rounding. */
  public static GateValues deterministic(GateLogits logits) {
    return deterministic(logits, 1);
  }

  /**
   * CoFi's gates for evaluation and export. In each layer and for each kind (the hidden gates once)
   * of n gates: k = rint(n - sum P(z > 0)), half to even, are closed, those with the smallest
   * logits, ties by smaller index; the others keep sigmoid(1.2 logAlpha), so a kept gate is 0.996,
   * not 1. A single layer gate is closed when P(z > 0) is below 0.5. The closing rules of {@link
   * #closed()} are applied.
   *
   * @param roundTo numbers of kept hidden dimensions and feed-forward units are raised to a
   *     multiple of this, up to n, by keeping the best of those that would be closed; 1 = off. A
   *     layer with no unit left stays empty
   */
  public static GateValues deterministic(GateLogits logits, int roundTo) {
    Preconditions.checkArgument(roundTo >= 1, "roundTo (%s) must be at least 1", roundTo);
    TransformerConfig config = logits.config();
    GateValues values = allOpen(config);
    BlockShape block = GateKind.requireUniform(config);
    fill(logits.of(GateKind.HIDDEN), config.hiddenSize(), roundTo, values.hidden);
    fill(logits.of(GateKind.HEADS), block.numHeads(), 1, values.heads);
    fill(logits.of(GateKind.INTERMEDIATE), block.intermediateSize(), roundTo, values.intermediate);
    fill(logits.of(GateKind.ATTENTION_LAYER), 1, 1, values.attentionLayer);
    fill(logits.of(GateKind.FEED_FORWARD_LAYER), 1, 1, values.feedForwardLayer);
    return values.closed();
  }

  /**
   * These values with the gate of every empty sublayer at 0: an attention layer with no head left,
   * a feed-forward layer with no unit left. Otherwise the gated model would still add the bias of a
   * sublayer that a slim model does not have.
   */
  public GateValues closed() {
    float[] attention = attentionLayer.clone();
    float[] feedForward = feedForwardLayer.clone();
    for (int layer = 0; layer < attention.length; layer++) {
      if (numOpen(heads[layer]) == 0) {
        attention[layer] = 0;
      }
      if (numOpen(intermediate[layer]) == 0) {
        feedForward[layer] = 0;
      }
    }
    return new GateValues(hidden, heads, intermediate, attention, feedForward);
  }

  public int numLayers() {
    return attentionLayer.length;
  }

  /** All values of one kind, row-major: what a placeholder of {@link GateSet#fed} takes. */
  public float[] flat(GateKind kind) {
    return switch (kind) {
      case HIDDEN -> hidden;
      case HEADS -> Floats.concat(heads);
      case INTERMEDIATE -> Floats.concat(intermediate);
      case ATTENTION_LAYER -> attentionLayer;
      case FEED_FORWARD_LAYER -> feedForwardLayer;
    };
  }

  /**
   * 1 for a layer that still does something (attention or feed-forward gate open), else 0: the
   * students that layer distillation may match.
   */
  public float[] existingLayers() {
    float[] exists = new float[numLayers()];
    for (int layer = 0; layer < exists.length; layer++) {
      exists[layer] = attentionLayer[layer] > 0 || feedForwardLayer[layer] > 0 ? 1 : 0;
    }
    return exists;
  }

  /** Number of values above 0. */
  public static int numOpen(float[] values) {
    return openIndices(values).length;
  }

  /** Indices of the values above 0, ascending. */
  public static int[] openIndices(float[] values) {
    IntPredicate open = i -> values[i] > 0;
    return IntStream.range(0, values.length).filter(open).toArray();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof GateValues that && Arrays.deepEquals(parts(), that.parts());
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(parts());
  }

  private Object[] parts() {
    return new Object[] {hidden, heads, intermediate, attentionLayer, feedForwardLayer};
  }

  private static void fill(float @Nullable [] logits, int groupSize, int roundTo, float[][] rows) {
    if (logits == null) {
      return;
    }
    for (int row = 0; row < rows.length; row++) {
      float[] group = Arrays.copyOfRange(logits, row * groupSize, (row + 1) * groupSize);
      rows[row] = keepBest(group, roundTo);
    }
  }

  private static void fill(float @Nullable [] logits, int groupSize, int roundTo, float[] values) {
    if (logits == null) {
      return;
    }
    for (int start = 0; start < values.length; start += groupSize) {
      float[] kept = keepBest(Arrays.copyOfRange(logits, start, start + groupSize), roundTo);
      System.arraycopy(kept, 0, values, start, groupSize);
    }
  }

  private static float[] keepBest(float[] logits, int roundTo) {
    double expectedOpen = 0;
    for (float logit : logits) {
      expectedOpen += HardConcrete.openProbability(logit);
    }
    int size = logits.length;
    int numKept = size - (int) Math.rint(size - expectedOpen);
    numKept = Math.min(size, (numKept + roundTo - 1) / roundTo * roundTo);
    float[] values = new float[size];
    IntStream.range(0, size)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> logits[i])) // stable: ties by index
        .skip(size - numKept)
        .forEach(i -> values[i] = (float) HardConcrete.deterministicValue(logits[i]));
    return values;
  }

  private static float[] ones(int size) {
    float[] values = new float[size];
    Arrays.fill(values, 1);
    return values;
  }

  private static void checkRange(float[] values) {
    for (float value : values) {
      Preconditions.checkArgument(value >= 0 && value <= 1, "gate %s is not in [0, 1]", value);
    }
  }
}
