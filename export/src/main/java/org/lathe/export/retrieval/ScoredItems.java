package org.lathe.export.retrieval;

import java.util.List;
import org.lathe.graphs.ops.LogSumExp;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Memory items that each row of a batch may see, and their words, mixed with the words' own logits.
 *
 * <p>Shape letters: B rows, J items, V vocabulary, N = B*V.
 *
 * @param scoresBJ logarithms of the items' masses; {@link #ABSENT} = no item
 * @param wordsBJ their tokens; any word of the vocabulary where there is no item
 */
public record ScoredItems(Operand<TFloat32> scoresBJ, Operand<TInt32> wordsBJ) {
  /** Stands for ln 0: its exponential vanishes beside any score, and no difference overflows. */
  public static final float ABSENT = -1e30f;

  /** Between every score and ABSENT, whatever was added to it. */
  private static final float PRESENT_ABOVE = -1e29f;

  /** P of an interpolation, and the weight that the items got in each row: 0 without any. */
  public record Interpolated(Operand<TFloat32> logProbabilitiesBV, Operand<TFloat32> weightB1) {}

  /** Which are items. */
  public Operand<TBool> presentBJ(Ops tf) {
    return tf.math.greater(scoresBJ, tf.constant(PRESENT_ABOVE));
  }

  /** With scores divided by this temperature. */
  public ScoredItems at(Ops tf, double temperature) {
    return new ScoredItems(
        tf.select(
            presentBJ(tf),
            tf.math.mul(scoresBJ, tf.constant((float) (1 / temperature))),
            tf.constant(ABSENT)),
        wordsBJ);
  }

  /** These and the others. */
  public ScoredItems and(Ops tf, ScoredItems others) {
    return new ScoredItems(
        tf.concat(List.of(scoresBJ, others.scoresBJ), tf.constant(1)),
        tf.concat(List.of(wordsBJ, others.wordsBJ), tf.constant(1)));
  }

  /** ln of the mass of all items of a row: (B, 1). */
  public Operand<TFloat32> massB1(Ops tf) {
    return tf.expandDims(LogSumExp.lastAxis(tf, scoresBJ), tf.constant(1));
  }

  /**
   * ln [exp(a_w) + sum_{j: x_j = w} exp(s_j)], not normalized: (B, V). The items' mass is summed by
   * (row, word), so nothing of size B J V is made.
   *
   * @param logitsBV a
   */
  public Operand<TFloat32> join(Ops tf, Operand<TFloat32> logitsBV, int vocabularySize) {
    Operand<TInt32> batchSize = tf.gather(tf.shape(wordsBJ), tf.constant(0), tf.constant(0));
    Operand<TFloat32> maxB1 = tf.expandDims(tf.reduceMax(scoresBJ, tf.constant(1)), tf.constant(1));
    Operand<TFloat32> weightsBJ =
        tf.select(presentBJ(tf), tf.math.exp(tf.math.sub(scoresBJ, maxB1)), tf.constant(0f));

    Operand<TInt32> firstWordB =
        tf.math.mul(
            tf.range(tf.constant(0), batchSize, tf.constant(1)), tf.constant(vocabularySize));
    Operand<TInt32> segmentsBJ = tf.math.add(wordsBJ, tf.expandDims(firstWordB, tf.constant(1)));
    Operand<TInt32> flat = tf.constant(new int[] {-1});
    Operand<TFloat32> massN =
        tf.math.unsortedSegmentSum(
            tf.reshape(weightsBJ, flat),
            tf.reshape(segmentsBJ, flat),
            tf.math.mul(batchSize, tf.constant(vocabularySize)));
    // a row's memory holds few of the V words: the costly functions are for those alone. A word
    // that stands there twice is written twice, with the same value
    Operand<TFloat32> massBJ = tf.gather(massN, segmentsBJ, tf.constant(0));
    Operand<TFloat32> logMassBJ =
        tf.select(
            tf.math.greater(massBJ, tf.constant(0f)),
            tf.math.add(tf.math.log(massBJ), maxB1),
            tf.constant(ABSENT));
    Operand<TFloat32> logitsN = tf.reshape(logitsBV, flat);
    Operand<TFloat32> joinedBJ =
        LogSumExp.add(tf, tf.gather(logitsN, segmentsBJ, tf.constant(0)), logMassBJ);
    return tf.reshape(
        tf.tensorScatterNdUpdate(logitsN, tf.expandDims(segmentsBJ, tf.constant(2)), joinedBJ),
        tf.stack(List.of(batchSize, tf.constant(vocabularySize))));
  }

  /**
   * (1 - weight) P + weight P', where P' is the softmax of the items' scores; P in a row without
   * any item.
   *
   * @param logProbabilitiesBV ln P
   * @param weight in (0, 1)
   */
  public Interpolated interpolate(
      Ops tf, Operand<TFloat32> logProbabilitiesBV, double weight, int vocabularySize) {
    Operand<TBool> anyB1 =
        tf.math.greater(
            tf.expandDims(tf.reduceMax(scoresBJ, tf.constant(1)), tf.constant(1)),
            tf.constant(PRESENT_ABOVE));
    Operand<TFloat32> ownBJ =
        tf.select(
            presentBJ(tf),
            tf.math.add(tf.math.sub(scoresBJ, massB1(tf)), tf.constant((float) Math.log(weight))),
            tf.constant(ABSENT));
    Operand<TFloat32> restB1 =
        tf.select(anyB1, tf.constant((float) Math.log1p(-weight)), tf.constant(0f));
    return new Interpolated(
        new ScoredItems(ownBJ, wordsBJ)
            .join(tf, tf.math.add(logProbabilitiesBV, restB1), vocabularySize),
        tf.select(anyB1, tf.constant((float) weight), tf.constant(0f)));
  }
}
