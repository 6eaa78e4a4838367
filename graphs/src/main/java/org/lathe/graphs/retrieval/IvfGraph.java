package org.lathe.graphs.retrieval;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gather;
import org.tensorflow.op.core.Squeeze;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.op.nn.TopK;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * An inverted-file search (Jegou et al., 2011) as one graph, for few queries at once: the keys of
 * the probed lists are gathered for each query, Q * P * T * D numbers, T being the longest list
 * probed. Names: Q queries, L lists, P probes, D width, N keys, K neighbours, R = P * T.
 *
 * @param centroidsLD of the lists
 * @param begins (L + 1), the first key of each list, and N
 * @param itemsN item of each stored key
 * @param codesNW stored keys, list after list
 * @param biasN -|k|^2 / 2 of the decoded keys, or null for inner products
 */
public record IvfGraph(
    KeyDecoder decoder,
    Operand<TFloat32> centroidsLD,
    Operand<TInt32> begins,
    Operand<TInt32> itemsN,
    Operand<? extends TNumber> codesNW,
    @Nullable Operand<TFloat32> biasN) {

  /** Best first; the rest of a query that found fewer has score negative infinity and item 0. */
  public record Found(Operand<TFloat32> scoresQK, Operand<TInt32> itemsQK) {}

  /** q . c, or q . c - |c|^2 / 2 where smaller distance is nearer: (Q, L). */
  public static Operand<TFloat32> centroidScores(
      Ops tf, Operand<TFloat32> queriesQD, Operand<TFloat32> centroidsLD, boolean squaredDistance) {
    Operand<TFloat32> productsQL =
        tf.linalg.matMul(queriesQD, centroidsLD, MatMul.transposeB(true));
    if (!squaredDistance) {
      return productsQL;
    }
    Operand<TFloat32> normsL = tf.reduceSum(tf.math.square(centroidsLD), tf.constant(1));
    return tf.math.sub(productsQL, tf.math.mul(normsL, tf.constant(0.5f)));
  }

  /**
   * Searches the numProbes nearest lists of every query.
   *
   * @param numProbes P, at most L
   * @param neighbors K
   */
  public Found search(Ops tf, Operand<TFloat32> queriesQD, int numProbes, int neighbors) {
    Operand<TInt32> one = tf.constant(1);
    Operand<TInt32> numQueries = tf.gather(tf.shape(queriesQD), tf.constant(0), tf.constant(0));
    TopK<TFloat32, TInt32> nearest =
        tf.nn.topK(
            centroidScores(tf, queriesQD, centroidsLD, biasN != null),
            tf.constant(numProbes),
            TInt32.class);
    Operand<TInt32> listsQP = nearest.indices();
    Operand<TInt32> beginsQP = tf.gather(begins, listsQP, tf.constant(0));
    Operand<TInt32> sizesQP =
        tf.math.sub(tf.gather(begins, tf.math.add(listsQP, one), tf.constant(0)), beginsQP);
    Operand<TInt32> longest = tf.math.maximum(tf.max(sizesQP, tf.array(0, 1)), one);
    Operand<TInt32> stepsT = tf.range(tf.constant(0), longest, one);
    Operand<TBool> insideQPT = tf.math.less(stepsT, tf.expandDims(sizesQP, tf.constant(2)));
    Operand<TInt32> last = tf.math.sub(tf.size(itemsN), one);
    Operand<TInt32> placesQPT =
        tf.math.minimum(tf.math.add(tf.expandDims(beginsQP, tf.constant(2)), stepsT), last);

    Operand<TInt32> flat = tf.constant(new int[] {-1});
    Operand<TInt32> rowsQR = tf.stack(List.of(numQueries, tf.constant(-1)));
    Operand<TInt32> places = tf.reshape(placesQPT, flat);
    Operand<TFloat32> keys = decoder.decode(tf, tf.gather(codesNW, places, tf.constant(0)));
    Operand<TFloat32> keysQRD =
        tf.reshape(
            keys, tf.stack(List.of(numQueries, tf.constant(-1), tf.constant(decoder.width()))));
    // (Q,R,D) x (Q,D,1) -> (Q,R)
    Operand<TFloat32> scoresQR =
        tf.squeeze(
            tf.train.batchMatMul(keysQRD, tf.expandDims(queriesQD, tf.constant(2)), TFloat32.class),
            Squeeze.axis(List.of(2L)));
    if (decoder.encoding().isResidual()) {
      Operand<TFloat32> productsQL =
          tf.linalg.matMul(queriesQD, centroidsLD, MatMul.transposeB(true));
      Operand<TFloat32> ofListQP =
          tf.gather(productsQL, listsQP, tf.constant(1), Gather.batchDims(1L));
      Operand<TFloat32> spreadQPT =
          tf.broadcastTo(tf.expandDims(ofListQP, tf.constant(2)), tf.shape(placesQPT));
      scoresQR = tf.math.add(scoresQR, tf.reshape(spreadQPT, rowsQR));
    }
    if (biasN != null) {
      scoresQR =
          tf.math.add(scoresQR, tf.reshape(tf.gather(biasN, places, tf.constant(0)), rowsQR));
    }
    Operand<TFloat32> nothing = tf.constant(Float.NEGATIVE_INFINITY);
    scoresQR = tf.select(tf.reshape(insideQPT, rowsQR), scoresQR, nothing);
    return best(tf, scoresQR, tf.reshape(placesQPT, rowsQR), numQueries, neighbors);
  }

  /**
   * Searches the only list there is, so every key, in one matrix product: Q * N scores, and N * D
   * numbers where keys have to be decoded.
   *
   * @param neighbors K, at most N
   */
  public Found searchAll(Ops tf, Operand<TFloat32> queriesQD, int neighbors) {
    Operand<TFloat32> keysND = decoder.decode(tf, codesNW);
    Operand<TFloat32> scoresQN = tf.linalg.matMul(queriesQD, keysND, MatMul.transposeB(true));
    if (decoder.encoding().isResidual()) {
      scoresQN =
          tf.math.add(scoresQN, tf.linalg.matMul(queriesQD, centroidsLD, MatMul.transposeB(true)));
    }
    if (biasN != null) {
      scoresQN = tf.math.add(scoresQN, biasN);
    }
    TopK<TFloat32, TInt32> top = tf.nn.topK(scoresQN, tf.constant(neighbors), TInt32.class);
    return new Found(top.values(), tf.gather(itemsN, top.indices(), tf.constant(0)));
  }

  private Found best(
      Ops tf,
      Operand<TFloat32> scoresQR,
      Operand<TInt32> placesQR,
      Operand<TInt32> numQueries,
      int neighbors) {
    // K columns of nothing, so that there are K to choose
    Operand<TFloat32> nothing = tf.constant(Float.NEGATIVE_INFINITY);
    Operand<TInt32> spare = tf.stack(List.of(numQueries, tf.constant(neighbors)));
    Operand<TFloat32> scores =
        tf.concat(List.of(scoresQR, tf.fill(spare, nothing)), tf.constant(1));
    Operand<TInt32> places =
        tf.concat(List.of(placesQR, tf.fill(spare, tf.constant(0))), tf.constant(1));
    TopK<TFloat32, TInt32> top = tf.nn.topK(scores, tf.constant(neighbors), TInt32.class);
    Operand<TInt32> placesQK =
        tf.gather(places, top.indices(), tf.constant(1), Gather.batchDims(1L));
    Operand<TInt32> itemsQK = tf.gather(itemsN, placesQK, tf.constant(0));
    Operand<TBool> foundQK = tf.math.greater(top.values(), nothing);
    return new Found(top.values(), tf.select(foundQK, itemsQK, tf.constant(0)));
  }
}
