package org.lathe.graphs.layers;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** a_w = E_w . f (+ b_w) with one table E of (V, D), the token table where the output is tied. */
final class FullSoftmax implements VocabularyHead {
  private final Variable table;
  private final boolean tied;
  private final @Nullable Variable bias;

  /**
   * @param tied the table is the token table, whose columns the hidden gate multiplies
   */
  FullSoftmax(Variable table, boolean tied) {
    this(table, tied, null);
  }

  /**
   * @param bias (V), or null for none
   */
  FullSoftmax(Variable table, boolean tied, @Nullable Variable bias) {
    this.table = table;
    this.tied = tied;
    this.bias = bias;
  }

  @Override
  public Operand<TFloat32> logits(Ops tf, Operand<TFloat32> outputND, Gates gates) {
    Operand<TFloat32> products =
        tf.linalg.matMul(outputND, rows(tf, gates), MatMul.transposeB(true));
    return bias == null ? products : tf.math.add(products, bias.value());
  }

  @Override
  public Target target(
      Ops tf, Operand<TFloat32> outputND, Operand<TInt32> targetsN, Gates gates, Dropout dropout) {
    Operand<TFloat32> readND = dropout.call(tf, outputND);
    Operand<TFloat32> rowsND = tf.gather(rows(tf, gates), targetsN, tf.constant(0));
    Operand<TFloat32> logitsNV = logits(tf, readND, gates);
    Operand<TFloat32> targetN = tf.reduceSum(tf.math.mul(rowsND, readND), tf.constant(-1));
    if (bias != null) {
      targetN = tf.math.add(targetN, tf.gather(bias.value(), targetsN, tf.constant(0)));
    }
    return new Target(LogSumExp.lastAxis(tf, logitsNV), targetN, logitsNV);
  }

  private Operand<TFloat32> rows(Ops tf, Gates gates) {
    @Nullable Operand<TFloat32> gate = tied ? gates.hidden() : null;
    return gate == null ? table.value() : tf.math.mul(table.value(), gate);
  }
}
