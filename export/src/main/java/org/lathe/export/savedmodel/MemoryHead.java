package org.lathe.export.savedmodel;

import org.lathe.export.retrieval.ScoredItems;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.objectives.MemoryObjective.MemoryMass;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.ops.Masks;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.train.BatchMatMul;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Local memory at inference: the earlier positions of a row compete with the vocabulary in one
 * softmax (TRIME equation 5). The item at position j has the key g_j and the value x_{j+1}; the
 * query at t sees the items below t.
 *
 * <pre>
 *   s_j  = scale g_t . g_j / temperature
 *   P(w) = [exp(a_w) + sum_{j: x_{j+1} = w} exp(s_j)] / Z
 * </pre>
 *
 * <p>Shape letters: B rows, T length, D width of g.
 */
final class MemoryHead {
  private final float scale;

  /**
   * @param temperature divides the memory scores, never the vocabulary logits
   */
  MemoryHead(MemoryConfig config, double temperature) {
    this.scale = (float) (config.scoreScale() / temperature);
  }

  /**
   * The items that the last position of each row sees, for {@link ScoredItems#join}: one for every
   * position of the row.
   *
   * @param queryBD g of the last position
   * @param keysBTD g of all positions
   * @param lastB index t of the last position; positions from t on are not seen
   */
  ScoredItems ofLastPosition(
      Ops tf,
      Operand<TFloat32> queryBD,
      Operand<TFloat32> keysBTD,
      Operand<TInt32> tokensBT,
      Operand<TInt32> lastB) {
    Operand<TInt32> shapeBT = tf.shape(tokensBT);
    Operand<TInt32> length = tf.gather(shapeBT, tf.constant(1), tf.constant(0));
    Operand<TFloat32> scoresBT =
        tf.math.mul(
            tf.reshape(
                tf.train.batchMatMul(
                    tf.expandDims(queryBD, tf.constant(1)),
                    keysBTD,
                    TFloat32.class,
                    BatchMatMul.adjY(true)),
                shapeBT),
            tf.constant(scale));
    Operand<TBool> visibleBT =
        tf.math.less(
            tf.expandDims(Masks.range(tf, length), tf.constant(0)),
            tf.expandDims(lastB, tf.constant(1)));
    return new ScoredItems(
        tf.select(visibleBT, scoresBT, tf.constant(ScoredItems.ABSENT)), nextTokens(tf, tokensBT));
  }

  /**
   * Logarithms of the memory's mass for every position t whose target x_{t+1} is known, flattened:
   * (B * S), where S = T - 1.
   *
   * @param tapBSD g, which is queries and keys
   * @param targetsBS x_{t+1}: targets and, alike, values of the items
   */
  MemoryMass<TFloat32> everyPosition(
      Ops tf, Operand<TFloat32> tapBSD, Operand<TInt32> targetsBS, Operand<TInt32> length) {
    Operand<TFloat32> scoresBSS =
        tf.math.mul(
            tf.train.batchMatMul(tapBSD, tapBSD, TFloat32.class, BatchMatMul.adjY(true)),
            tf.constant(scale));
    Operand<TInt32> index = Masks.range(tf, length);
    Operand<TBool> earlier1SS =
        tf.expandDims(
            tf.math.less(
                tf.expandDims(index, tf.constant(0)), tf.expandDims(index, tf.constant(1))),
            tf.constant(0));
    Operand<TBool> sameBSS =
        tf.math.equal(
            tf.expandDims(targetsBS, tf.constant(2)), tf.expandDims(targetsBS, tf.constant(1)));
    Operand<TFloat32> visibleBSS =
        tf.select(earlier1SS, scoresBSS, tf.constant(ScoredItems.ABSENT));
    Operand<TFloat32> matchingBSS = tf.select(sameBSS, visibleBSS, tf.constant(ScoredItems.ABSENT));
    Operand<TInt32> flat = tf.constant(new int[] {-1});
    return new MemoryMass<>(
        tf.reshape(LogSumExp.lastAxis(tf, visibleBSS), flat),
        tf.reshape(LogSumExp.lastAxis(tf, matchingBSS), flat));
  }

  /** x_{j+1} at j, and 0 in the last column, which no query sees: (B, T) -> (B, T). */
  private static Operand<TInt32> nextTokens(Ops tf, Operand<TInt32> tokensBT) {
    Operand<TInt32> shifted =
        tf.slice(tokensBT, tf.constant(new int[] {0, 1}), tf.constant(new int[] {-1, -1}));
    return tf.pad(shifted, tf.constant(new int[][] {{0, 0}, {0, 1}}), tf.constant(0));
  }
}
