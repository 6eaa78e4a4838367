package org.lathe.pruning.masks;

import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Masks of 0 and 1 as ops. */
final class MaskOps {
  private MaskOps() {}

  /** 1 where true, 0 elsewhere; no gradient. */
  static Operand<TFloat32> constant(Ops tf, Operand<TBool> kept) {
    return tf.stopGradient(tf.dtypes.cast(kept, TFloat32.class));
  }

  /**
   * Exactly the mask in value, but with the gradient of the scores: dL/dscores = dL/dmask (Bengio
   * et al. 2013). mask + (scores - scores), so that no rounding touches the mask.
   */
  static Operand<TFloat32> straightThrough(
      Ops tf, Operand<TFloat32> mask, Operand<TFloat32> scores) {
    return tf.math.add(mask, tf.math.sub(scores, tf.stopGradient(scores)));
  }

  /**
   * The value that comes at this place, from 0, in the ascending order of all scores. Selection
   * takes linear time; sorting ten million weights at every step would not.
   */
  static Operand<TFloat32> smallest(Ops tf, List<Operand<TFloat32>> scores, Operand<TInt32> place) {
    Operand<TInt32> flat = tf.constant(new int[] {-1});
    List<Operand<TFloat32>> rows =
        scores.stream().<Operand<TFloat32>>map(each -> tf.reshape(each, flat)).toList();
    return tf.nn.nthElement(
        tf.stopGradient(rows.size() == 1 ? rows.get(0) : tf.concat(rows, tf.constant(0))), place);
  }

  /** The sum of all elements. */
  static Operand<TFloat32> sum(Ops tf, Operand<TFloat32> values) {
    return tf.reduceSum(tf.reshape(values, tf.constant(new int[] {-1})), tf.constant(0));
  }
}
