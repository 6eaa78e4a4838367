package org.lathe.pruning.distillation;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;

/**
 * The cheapest strictly increasing assignment of teachers to students, by dynamic programming in
 * the graph: with f(i, j) the best of the first i teachers among the first j students,
 *
 * <pre>f(i, j) = min( f(i, j-1),  f(i-1, j-1) + c_ij where student j exists,  f(i-1, j) + skip )
 * </pre>
 *
 * ordered by what is skipped, then by cost. Teacher i, from 0 at the bottom, counts 2^i as skipped:
 * as many as possible are matched, and where students are fewer, the topmost. The gradient reaches
 * the chosen costs only, as if the choice were a constant.
 */
final class OrderedAssignment {
  /** 2^i of the skipped teachers and cost of the others, scalars. */
  private record Best(Operand<TFloat32> skipped, Operand<TFloat32> cost) {}

  private final Ops tf;

  OrderedAssignment(Ops tf) {
    this.tf = tf;
  }

  /**
   * Cost of the best assignment.
   *
   * @param costs by teacher, then student: scalars
   * @param exists by student: scalars, 1 or 0
   */
  Operand<TFloat32> cost(List<List<Operand<TFloat32>>> costs, List<Operand<TFloat32>> exists) {
    int numStudents = exists.size();
    Operand<TFloat32> zero = tf.constant(0f);
    List<Best> previous = new ArrayList<>();
    for (int j = 0; j <= numStudents; j++) {
      previous.add(new Best(zero, zero));
    }
    for (int i = 0; i < costs.size(); i++) {
      Operand<TFloat32> worth = tf.constant((float) (1L << i));
      List<Best> current = new ArrayList<>();
      Best none = previous.get(0);
      current.add(new Best(tf.math.add(none.skipped(), worth), none.cost()));
      for (int j = 1; j <= numStudents; j++) {
        Best before = previous.get(j - 1);
        // to match a student that is absent is to skip the teacher, at no cost
        Operand<TFloat32> present = exists.get(j - 1);
        Best matched =
            new Best(
                tf.math.add(
                    before.skipped(), tf.math.mul(worth, tf.math.sub(tf.constant(1f), present))),
                tf.math.add(before.cost(), tf.math.mul(present, costs.get(i).get(j - 1))));
        Best skipped =
            new Best(tf.math.add(previous.get(j).skipped(), worth), previous.get(j).cost());
        current.add(better(current.get(j - 1), better(matched, skipped)));
      }
      previous = current;
    }
    return previous.get(numStudents).cost();
  }

  private Best better(Best a, Best b) {
    Operand<TBool> first =
        tf.math.logicalOr(
            tf.math.less(a.skipped(), b.skipped()),
            tf.math.logicalAnd(
                tf.math.equal(a.skipped(), b.skipped()), tf.math.lessEqual(a.cost(), b.cost())));
    return new Best(
        tf.select(first, a.skipped(), b.skipped()), tf.select(first, a.cost(), b.cost()));
  }
}
