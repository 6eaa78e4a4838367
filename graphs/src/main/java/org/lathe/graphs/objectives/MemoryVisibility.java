package org.lathe.graphs.objectives;

import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.Scalars;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * Which in-batch items a position may see while training (TRIME sections 3 and 4). Positions are
 * numbered through the flattened batch; the item at j holds the answer of position j, so within one
 * text a position sees j strictly below itself.
 *
 * <ul>
 *   <li>LOCAL: the same segment, j below t
 *   <li>CONSECUTIVE: the same group of consecutive segments, j below t in flattened order
 *   <li>EXTERNAL: every item of every other segment of the group of similar segments, and j below t
 *       of the own one
 * </ul>
 */
public final class MemoryVisibility {
  private MemoryVisibility() {}

  /**
   * Additive mask (Q, K) over the flattened batch.
   *
   * @param queryIndexQ flattened positions of the queries
   * @param keyIndexK flattened positions of the keys
   * @param localBias scalar added to items of the own segment (EXTERNAL): 0, or {@link
   *     Masks#HIDDEN} in a batch whose local memory is dropped
   */
  public static <T extends TNumber> Operand<T> additive(
      Ops tf,
      MemoryConfig config,
      Operand<TInt32> queryIndexQ,
      Operand<TInt32> keyIndexK,
      int segmentLength,
      Operand<T> localBias) {
    Operand<TInt32> query = tf.expandDims(queryIndexQ, tf.constant(1));
    Operand<TInt32> key = tf.expandDims(keyIndexK, tf.constant(0));
    Operand<TBool> earlier = tf.math.less(key, query);
    Class<T> type = localBias.type();
    return switch (config.objective()) {
      case NONE -> throw new IllegalArgumentException("a model without memory sees no items");
      case LOCAL ->
          Masks.additive(
              tf, tf.math.logicalAnd(earlier, sameBlock(tf, query, key, segmentLength)), type);
      case CONSECUTIVE ->
          Masks.additive(tf, inGroup(tf, config, query, key, segmentLength, earlier), type);
      case EXTERNAL -> {
        Operand<TBool> own = sameBlock(tf, query, key, segmentLength);
        Operand<TBool> visible =
            inGroup(
                tf,
                config,
                query,
                key,
                segmentLength,
                tf.math.logicalOr(earlier, tf.math.logicalNot(own)));
        yield tf.math.add(
            Masks.additive(tf, visible, type), tf.math.mul(tf.dtypes.cast(own, type), localBias));
      }
    };
  }

  /** Of these, the items of the query's own group; all where the batch is one group. */
  private static Operand<TBool> inGroup(
      Ops tf,
      MemoryConfig config,
      Operand<TInt32> query,
      Operand<TInt32> key,
      int segmentLength,
      Operand<TBool> visible) {
    return config.segmentsPerGroup() == 0
        ? visible
        : tf.math.logicalAnd(
            visible, sameBlock(tf, query, key, segmentLength * config.segmentsPerGroup()));
  }

  private static Operand<TBool> sameBlock(
      Ops tf, Operand<TInt32> query, Operand<TInt32> key, int blockLength) {
    Operand<TInt32> length = tf.constant(blockLength);
    return tf.math.equal(tf.math.floorDiv(query, length), tf.math.floorDiv(key, length));
  }

  /** Additive mask (..., Q, K): 0 where the item's value is the query's target. */
  static <T extends TNumber> Operand<T> matching(
      Ops tf, Operand<TInt32> targetsQ, Operand<TInt32> valuesK, Class<T> type) {
    return Masks.additive(
        tf,
        tf.math.equal(
            tf.expandDims(targetsQ, tf.constant(-1)), tf.expandDims(valuesK, tf.constant(-2))),
        type);
  }

  /** No bias: the scalar 0 of the operand's type. */
  static <T extends TNumber> Operand<T> noBias(Ops tf, Operand<T> like) {
    return Scalars.like(tf, like, 0);
  }
}
