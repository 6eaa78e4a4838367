package org.lathe.export.savedmodel;

import java.util.List;
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
 * <p>Shape letters: B rows, T length, D width of g, V vocabulary, N = B*V.
 */
final class MemoryHead {
  /** Stands for ln 0: its exponential vanishes beside any score, and no difference overflows. */
  private static final float ABSENT = -1e30f;

  private final float scale;

  /**
   * @param temperature divides the memory scores, never the vocabulary logits
   */
  MemoryHead(MemoryConfig config, double temperature) {
    this.scale = (float) (config.scoreScale() / temperature);
  }

  /**
   * ln [exp(a_w) + sum_{j: x_{j+1} = w} exp(s_j)] for one query a row, not yet normalized: (B, V).
   * The memory's mass is summed by (row, word), so nothing of size B T V is made.
   *
   * @param logitsBV a
   * @param queryBD g of the last position
   * @param keysBTD g of all positions
   * @param lastB index t of the last position; positions from t on are not seen
   */
  Operand<TFloat32> lastPosition(
      Ops tf,
      Operand<TFloat32> logitsBV,
      Operand<TFloat32> queryBD,
      Operand<TFloat32> keysBTD,
      Operand<TInt32> tokensBT,
      Operand<TInt32> lastB,
      int vocabularySize) {
    Operand<TInt32> shapeBT = tf.shape(tokensBT);
    Operand<TInt32> batchSize = tf.gather(shapeBT, tf.constant(0), tf.constant(0));
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
    Operand<TFloat32> visibleScoresBT = tf.select(visibleBT, scoresBT, tf.constant(ABSENT));
    Operand<TFloat32> maxB = tf.reduceMax(visibleScoresBT, tf.constant(1));
    Operand<TFloat32> weightsBT =
        tf.select(
            visibleBT,
            tf.math.exp(tf.math.sub(visibleScoresBT, tf.expandDims(maxB, tf.constant(1)))),
            tf.constant(0f));

    Operand<TInt32> firstWordB =
        tf.math.mul(Masks.range(tf, batchSize), tf.constant(vocabularySize));
    Operand<TInt32> segmentsBT =
        tf.math.add(nextTokens(tf, tokensBT), tf.expandDims(firstWordB, tf.constant(1)));
    Operand<TInt32> flat = tf.constant(new int[] {-1});
    Operand<TFloat32> massN =
        tf.math.unsortedSegmentSum(
            tf.reshape(weightsBT, flat),
            tf.reshape(segmentsBT, flat),
            tf.math.mul(batchSize, tf.constant(vocabularySize)));
    // a row's memory holds few of the V words: the costly functions are for those alone. A word
    // that stands there twice is written twice, with the same value
    Operand<TFloat32> massBT = tf.gather(massN, segmentsBT, tf.constant(0));
    Operand<TFloat32> logMassBT =
        tf.select(
            tf.math.greater(massBT, tf.constant(0f)),
            tf.math.add(tf.math.log(massBT), tf.expandDims(maxB, tf.constant(1))),
            tf.constant(ABSENT));
    Operand<TFloat32> logitsN = tf.reshape(logitsBV, flat);
    Operand<TFloat32> joinedBT =
        LogSumExp.add(tf, tf.gather(logitsN, segmentsBT, tf.constant(0)), logMassBT);
    return tf.reshape(
        tf.tensorScatterNdUpdate(logitsN, tf.expandDims(segmentsBT, tf.constant(2)), joinedBT),
        tf.stack(List.of(batchSize, tf.constant(vocabularySize))));
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
    Operand<TFloat32> visibleBSS = tf.select(earlier1SS, scoresBSS, tf.constant(ABSENT));
    Operand<TFloat32> matchingBSS = tf.select(sameBSS, visibleBSS, tf.constant(ABSENT));
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
