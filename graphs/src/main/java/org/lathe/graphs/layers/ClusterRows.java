package org.lathe.graphs.layers;

import org.lathe.graphs.config.AdaptiveVocabulary.Cluster;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * The rows of a batch whose word lies in one cluster, found when the graph runs; there may be none.
 * Shape letters: N rows of the batch, M of the cluster.
 *
 * @param rowsM1 their numbers in the batch
 * @param wordsM their words, counted from the cluster's first
 */
record ClusterRows(Operand<TInt64> rowsM1, Operand<TInt32> wordsM) {

  /**
   * @param isFirst takes negative ids along, which no table has, so that a lookup refuses them
   * @param isLast takes ids beyond the vocabulary along, likewise
   */
  static ClusterRows of(
      Ops tf, Operand<TInt32> idsN, Cluster cluster, boolean isFirst, boolean isLast) {
    Operand<TBool> notBefore = tf.math.greaterEqual(idsN, tf.constant(cluster.begin()));
    Operand<TBool> notBehind = tf.math.less(idsN, tf.constant(cluster.end()));
    Operand<TBool> inside =
        isFirst ? notBehind : isLast ? notBefore : tf.math.logicalAnd(notBefore, notBehind);
    Operand<TInt64> rowsM1 = tf.where(inside);
    return new ClusterRows(
        rowsM1, tf.math.sub(tf.gatherNd(idsN, rowsM1), tf.constant(cluster.begin())));
  }

  /** (N, width) -> (M, width). */
  Operand<TFloat32> take(Ops tf, Operand<TFloat32> x) {
    return tf.gatherNd(x, rowsM1);
  }

  /** Each word's row of the table: (size, width) -> (M, width). */
  Operand<TFloat32> lookUp(Ops tf, Variable table) {
    return table.rows(tf, wordsM);
  }

  /** Back to their places, 0 elsewhere: (M, ...) -> (N, ...). */
  Operand<TFloat32> putBack(Ops tf, Operand<TFloat32> x, Operand<TInt64> shape) {
    return tf.scatterNd(rowsM1, x, shape);
  }
}
