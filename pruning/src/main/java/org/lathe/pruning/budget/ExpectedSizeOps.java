package org.lathe.pruning.budget;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * {@link ExpectedSizes} as ops of a graph, differentiable in the gate logits.
 *
 * @param hidden scalar: expected dimensions
 * @param heads [L]: expected heads
 * @param units [L]: expected feed-forward units
 * @param attentionLayer [L]: probability of the sublayer
 * @param feedForwardLayer [L]: probability of the sublayer
 */
public record ExpectedSizeOps(
    Operand<TFloat32> hidden,
    Operand<TFloat32> heads,
    Operand<TFloat32> units,
    Operand<TFloat32> attentionLayer,
    Operand<TFloat32> feedForwardLayer) {

  /**
   * Sums of P(z > 0) over each group; the full size where a kind has no gates.
   *
   * @param gates sampled ones
   */
  public static ExpectedSizeOps of(Ops tf, TransformerConfig config, GateSet gates) {
    BlockShape block = GateKind.requireUniform(config);
    int numLayers = config.numLayers();
    Operand<TFloat32> hidden = gates.openProbability(GateKind.HIDDEN);
    return new ExpectedSizeOps(
        hidden == null
            ? tf.constant((float) config.hiddenSize())
            : tf.reduceSum(hidden, tf.constant(0)),
        rowSums(tf, gates.openProbability(GateKind.HEADS), numLayers, block.numHeads()),
        rowSums(
            tf, gates.openProbability(GateKind.INTERMEDIATE), numLayers, block.intermediateSize()),
        orOnes(tf, gates.openProbability(GateKind.ATTENTION_LAYER), numLayers),
        orOnes(tf, gates.openProbability(GateKind.FEED_FORWARD_LAYER), numLayers));
  }

  private static Operand<TFloat32> rowSums(
      Ops tf, @Nullable Operand<TFloat32> probabilities, int numLayers, int fullSize) {
    return probabilities == null
        ? filled(tf, numLayers, fullSize)
        : tf.reduceSum(probabilities, tf.constant(1));
  }

  private static Operand<TFloat32> orOnes(
      Ops tf, @Nullable Operand<TFloat32> probabilities, int numLayers) {
    return probabilities == null ? filled(tf, numLayers, 1) : probabilities;
  }

  private static Operand<TFloat32> filled(Ops tf, int numLayers, int value) {
    float[] values = new float[numLayers];
    Arrays.fill(values, value);
    return tf.constant(values);
  }
}
