package org.lathe.graphs.layers;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;

/**
 * A pre-norm Transformer block that also attends to its own inputs at earlier positions. The norm
 * before attention is applied to those as to the segment.
 *
 * <p>Names: {@code name/attention/...}, {@code name/attention_norm}, {@code name/feed_forward/...},
 * {@code name/feed_forward_norm}, and {@code name/compression/...} where compression is learned.
 *
 * <p>Shape letters: B batch, T length of the segment, P of the past, K = P + T, S slots, D hidden,
 * N = B*T positions.
 */
public final class RecurrentBlock {
  private final RelativeSelfAttention attention;
  private final LayerNorm attentionNorm;
  private final FeedForward feedForward;
  private final LayerNorm feedForwardNorm;
  private final @Nullable MemoryCompressor compressor;
  private final int hiddenSize;

  /**
   * What all blocks of a model share in one call.
   *
   * @param segment B and T
   * @param context B and K
   * @param distancesKD encodings of the distances K - 1 .. 0
   * @param maskB1TK additive
   */
  public record Surroundings(
      SequenceShape segment,
      SequenceShape context,
      Operand<TFloat32> distancesKD,
      Operand<TFloat32> maskB1TK) {}

  /**
   * @param hiddenND output of the block
   * @param tapND input of the feed-forward sublayer after its norm
   * @param contextBKD the past and the block's inputs, as memory wants them: without gradient
   * @param usageBK mean attention that each of them got
   */
  public record Output(
      Operand<TFloat32> hiddenND,
      Operand<TFloat32> tapND,
      Operand<TFloat32> contextBKD,
      Operand<TFloat32> usageBK) {}

  /**
   * @param slotsBSD what the compressed memory takes up
   * @param loss attention-reconstruction loss, a scalar; its gradient reaches the compressor only
   */
  public record Compressed(Operand<TFloat32> slotsBSD, Operand<TFloat32> loss) {}

  public RecurrentBlock(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      BlockShape shape,
      RelativeBiases biases,
      CompressionConfig compression,
      VariableGroup group) {
    hiddenSize = config.hiddenSize();
    attention =
        new RelativeSelfAttention(
            catalog,
            name + "/attention",
            hiddenSize,
            shape.numHeads(),
            config.headSize(),
            biases,
            group);
    attentionNorm =
        new LayerNorm(catalog, name + "/attention_norm", hiddenSize, config.normEpsilon(), group);
    feedForward =
        new FeedForward(
            catalog,
            name + "/feed_forward",
            hiddenSize,
            shape.intermediateSize(),
            config.activation(),
            group);
    feedForwardNorm =
        new LayerNorm(
            catalog, name + "/feed_forward_norm", hiddenSize, config.normEpsilon(), group);
    compressor =
        compression.present()
            ? new MemoryCompressor(catalog, name + "/compression", compression, hiddenSize, group)
            : null;
  }

  /**
   * (N, D) -> (N, D).
   *
   * @param pastBPD inputs of this block at earlier positions; no gradient reaches them
   */
  public Output call(
      Ops tf,
      Operand<TFloat32> xND,
      Operand<TFloat32> pastBPD,
      Surroundings surroundings,
      Dropout dropout) {
    Operand<TFloat32> xBTD = surroundings.segment().unflatten(tf, xND, hiddenSize);
    Operand<TFloat32> contextBKD =
        tf.concat(List.of(tf.stopGradient(pastBPD), xBTD), tf.constant(1));
    RelativeSelfAttention.Output attended =
        attention.call(
            tf,
            attentionNorm.call(tf, xND, null),
            surroundings.segment(),
            attentionNorm.call(tf, flat(tf, contextBKD), null),
            surroundings.context(),
            surroundings.distancesKD(),
            surroundings.maskB1TK(),
            dropout);
    Operand<TFloat32> afterAttention = tf.math.add(xND, dropout.call(tf, attended.output()));
    Operand<TFloat32> tapND = feedForwardNorm.call(tf, afterAttention, null);
    Operand<TFloat32> hiddenND =
        tf.math.add(afterAttention, dropout.call(tf, feedForward.call(tf, tapND, null, dropout)));
    return new Output(
        hiddenND, tapND, tf.stopGradient(contextBKD), tf.stopGradient(attended.usageBK()));
  }

  /**
   * Compresses the states that leave this block's memory. The loss is the mean squared difference
   * of what the segment reads by content from the states and from their slots, with everything but
   * the compressor held fixed (Rae et al. 2020, algorithm 2); rows without a whole slot count as 0.
   *
   * @param xND input of the block, whose queries read
   * @param leavingBTD as many states as the segment has positions
   * @param usageBT attention that they got
   * @param validBT 1 where there is a state
   * @param slotsValidBS 1 where a slot holds something
   */
  public Compressed compress(
      Ops tf,
      Operand<TFloat32> xND,
      SequenceShape segment,
      Operand<TFloat32> leavingBTD,
      Operand<TFloat32> usageBT,
      Operand<TFloat32> validBT,
      Operand<TFloat32> slotsValidBS) {
    Operand<TFloat32> leaving = tf.stopGradient(leavingBTD);
    Operand<TFloat32> slotsBSD =
        Objects.requireNonNull(compressor, "the model has a compressed memory")
            .call(tf, leaving, tf.stopGradient(usageBT), validBT);
    Operand<TFloat32> queries = attentionNorm.callFixed(tf, xND);
    Operand<TFloat32> fromStates = read(tf, queries, segment, leaving, validBT);
    Operand<TFloat32> fromSlots = read(tf, queries, segment, slotsBSD, slotsValidBS);
    Operand<TFloat32> rowsB =
        tf.math.mean(
            tf.math.squaredDifference(tf.stopGradient(fromStates), fromSlots),
            tf.constant(new int[] {1, 2, 3}));
    Operand<TFloat32> anyB = tf.reduceMax(slotsValidBS, tf.constant(1));
    return new Compressed(slotsBSD, tf.math.mean(tf.math.mul(rowsB, anyB), tf.constant(0)));
  }

  private Operand<TFloat32> read(
      Ops tf,
      Operand<TFloat32> queries,
      SequenceShape segment,
      Operand<TFloat32> keysBSD,
      Operand<TFloat32> validBS) {
    Operand<TBool> valid = tf.math.greater(validBS, tf.constant(0f));
    return attention.readByContent(
        tf,
        queries,
        segment,
        attentionNorm.callFixed(tf, flat(tf, keysBSD)),
        SequenceShape.of(tf, validBS),
        valid);
  }

  /** (B, K, D) -> (B*K, D). */
  private Operand<TFloat32> flat(Ops tf, Operand<TFloat32> x) {
    return tf.reshape(x, tf.constant(new int[] {-1, hiddenSize}));
  }
}
