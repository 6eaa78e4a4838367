package org.lathe.training.optimization;

import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Sums of gradients over the micro-batches of a step, in slots gradient_sum.
 *
 * @param sums one a variable, in order
 * @param means (sum + gradient of this micro-batch) / numMicroBatches, in order
 * @param accumulate adds this micro-batch's gradients to the sums
 */
record Accumulation(List<Variable> sums, List<Operand<TFloat32>> means, Op accumulate) {

  static Accumulation of(
      Ops tf,
      VariableCatalog catalog,
      List<Variable> variables,
      List<Operand<TFloat32>> gradients,
      int numMicroBatches) {
    Operand<TFloat32> share = tf.constant(1f / numMicroBatches);
    List<Variable> sums = new ArrayList<>();
    List<Operand<TFloat32>> means = new ArrayList<>();
    List<Op> additions = new ArrayList<>();
    for (int i = 0; i < variables.size(); i++) {
      Variable sum = OptimizerSlots.declare(catalog, variables.get(i), "gradient_sum");
      sums.add(sum);
      means.add(tf.math.mul(tf.math.add(sum.read(), gradients.get(i)), share));
      additions.add(tf.assignAddVariableOp(sum.handle(), gradients.get(i)));
    }
    return new Accumulation(sums, means, tf.withControlDependencies(additions).noOp());
  }

  /**
   * Zeroes the sums.
   *
   * @param tf ops that run after the means are computed
   */
  List<Op> clear(Ops tf) {
    List<Op> assignments = new ArrayList<>();
    for (Variable sum : sums) {
      assignments.add(tf.assignVariableOp(sum.handle(), tf.zerosLike(sum.read())));
    }
    return assignments;
  }
}
