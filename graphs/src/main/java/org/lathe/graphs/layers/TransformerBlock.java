package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * One Transformer block: attention, then feed-forward, each with a residual and a LayerNorm placed
 * before the sublayer (pre-norm) or after the residual sum (post-norm). A sublayer that the {@link
 * BlockShape} lacks is an identity and declares nothing.
 *
 * <p>Names: {@code name/attention/...}, {@code name/attention_norm}, {@code name/feed_forward/...},
 * {@code name/feed_forward_norm}.
 */
public final class TransformerBlock {
  private final boolean preNorm;
  private final int layer;
  private final @Nullable SelfAttention attention;
  private final @Nullable LayerNorm attentionNorm;
  private final @Nullable FeedForward feedForward;
  private final @Nullable LayerNorm feedForwardNorm;

  /**
   * @param hidden output of the block (N, D)
   * @param tap input of the feed-forward sublayer after its norm (N, D): TRIME's memory
   *     representation g; null where the block has neither feed-forward norm nor tap
   * @param scoresBNTT of attention, before mask and softmax; null without an attention sublayer
   */
  public record Output(
      Operand<TFloat32> hidden,
      @Nullable Operand<TFloat32> tap,
      @Nullable Operand<TFloat32> scoresBNTT) {}

  /**
   * @param keepTap declare the feed-forward norm even where the feed-forward sublayer is absent, so
   *     that the memory representation of a slim model stays defined (pre-norm only)
   */
  public TransformerBlock(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      int layer,
      boolean keepTap,
      VariableGroup group) {
    BlockShape shape = config.blocks().get(layer);
    int hiddenSize = config.hiddenSize();
    this.layer = layer;
    this.preNorm = config.normPlacement() == NormPlacement.PRE;
    if (shape.attentionPresent()) {
      attention =
          new SelfAttention(
              catalog, name + "/attention", hiddenSize, shape.numHeads(), config.headSize(), group);
      attentionNorm =
          new LayerNorm(catalog, name + "/attention_norm", hiddenSize, config.normEpsilon(), group);
    } else {
      attention = null;
      attentionNorm = null;
    }
    feedForward =
        shape.feedForwardPresent()
            ? new FeedForward(
                catalog,
                name + "/feed_forward",
                hiddenSize,
                shape.intermediateSize(),
                config.activation(),
                group)
            : null;
    feedForwardNorm =
        shape.feedForwardPresent() || (keepTap && preNorm)
            ? new LayerNorm(
                catalog, name + "/feed_forward_norm", hiddenSize, config.normEpsilon(), group)
            : null;
  }

  /** (N, D) -> (N, D), N = B*T. */
  public Output call(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      Gates gates,
      Dropout dropout) {
    return preNorm
        ? callPreNorm(tf, x, shape, mask, gates, dropout)
        : callPostNorm(tf, x, shape, mask, gates, dropout);
  }

  private Output callPreNorm(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      Gates gates,
      Dropout dropout) {
    Operand<TFloat32> hiddenGate = gates.hidden();
    Operand<TFloat32> afterAttention = x;
    Operand<TFloat32> scores = null;
    if (attention != null && attentionNorm != null) {
      SelfAttention.Output output =
          attention.call(
              tf, attentionNorm.call(tf, x, hiddenGate), shape, mask, gates.heads(layer), dropout);
      scores = output.scoresBNTT();
      Operand<TFloat32> attended =
          gated(tf, output.output(), gates.attentionLayer(layer), hiddenGate);
      afterAttention = tf.math.add(x, dropout.call(tf, attended));
    }
    if (feedForwardNorm == null) {
      return new Output(afterAttention, null, scores);
    }
    Operand<TFloat32> tap = feedForwardNorm.call(tf, afterAttention, hiddenGate);
    if (feedForward == null) {
      return new Output(afterAttention, tap, scores);
    }
    Operand<TFloat32> fed =
        gated(
            tf,
            feedForward.call(tf, tap, gates.intermediate(layer), dropout),
            gates.feedForwardLayer(layer),
            hiddenGate);
    return new Output(tf.math.add(afterAttention, dropout.call(tf, fed)), tap, scores);
  }

  private Output callPostNorm(
      Ops tf,
      Operand<TFloat32> x,
      SequenceShape shape,
      Operand<TFloat32> mask,
      Gates gates,
      Dropout dropout) {
    Operand<TFloat32> hiddenGate = gates.hidden();
    Operand<TFloat32> afterAttention = x;
    Operand<TFloat32> scores = null;
    if (attention != null && attentionNorm != null) {
      Operand<TFloat32> layerGate = gates.attentionLayer(layer);
      SelfAttention.Output output = attention.call(tf, x, shape, mask, gates.heads(layer), dropout);
      scores = output.scoresBNTT();
      Operand<TFloat32> attended = gated(tf, output.output(), layerGate, hiddenGate);
      Operand<TFloat32> normed =
          attentionNorm.call(tf, tf.math.add(dropout.call(tf, attended), x), hiddenGate);
      afterAttention = skipWhenClosed(tf, layerGate, x, normed);
    }
    if (feedForward == null || feedForwardNorm == null) {
      return new Output(afterAttention, afterAttention, scores);
    }
    Operand<TFloat32> layerGate = gates.feedForwardLayer(layer);
    Operand<TFloat32> fed =
        gated(
            tf,
            feedForward.call(tf, afterAttention, gates.intermediate(layer), dropout),
            layerGate,
            hiddenGate);
    Operand<TFloat32> normed =
        feedForwardNorm.call(tf, tf.math.add(dropout.call(tf, fed), afterAttention), hiddenGate);
    return new Output(
        skipWhenClosed(tf, layerGate, afterAttention, normed), afterAttention, scores);
  }

  private static Operand<TFloat32> gated(
      Ops tf,
      Operand<TFloat32> x,
      @Nullable Operand<TFloat32> layerGate,
      @Nullable Operand<TFloat32> hiddenGate) {
    Operand<TFloat32> result = layerGate == null ? x : tf.math.mul(x, layerGate);
    return hiddenGate == null ? result : tf.math.mul(result, hiddenGate);
  }

  /** A post-norm sublayer whose gate is 0 drops its LayerNorm too (CoFi; LN(x) is not x). */
  private static Operand<TFloat32> skipWhenClosed(
      Ops tf,
      @Nullable Operand<TFloat32> layerGate,
      Operand<TFloat32> input,
      Operand<TFloat32> output) {
    return layerGate == null
        ? output
        : tf.select(tf.math.equal(layerGate, tf.constant(0f)), input, output);
  }
}
