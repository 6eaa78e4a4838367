package org.lathe.pruning.distillation;

import com.google.common.base.Preconditions;
import org.lathe.graphs.ops.LogSumExp;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** The prediction loss of CoFi and Hinton et al. (2015). */
public final class PredictionDistillation {
  /** tau of CoFi's scripts. */
  public static final double TEMPERATURE = 2;

  private PredictionDistillation() {}

  /**
   * tau^2 KL(softmax(teacher / tau) || softmax(student / tau)) in nats, mean over positions: (N, V)
   * twice -> scalar. No gradient reaches the teacher. With one class it is 0 whatever the logits
   * are: regress such a head on the teacher's output instead.
   */
  public static Operand<TFloat32> loss(
      Ops tf,
      Operand<TFloat32> studentLogitsNV,
      Operand<TFloat32> teacherLogitsNV,
      double temperature) {
    Preconditions.checkArgument(temperature > 0, "temperature (%s) must be positive", temperature);
    Operand<TFloat32> sharpness = tf.constant((float) (1 / temperature));
    Operand<TFloat32> logStudentNV =
        LogSumExp.logSoftmax(tf, tf.math.mul(studentLogitsNV, sharpness));
    Operand<TFloat32> logTeacherNV =
        LogSumExp.logSoftmax(tf, tf.math.mul(tf.stopGradient(teacherLogitsNV), sharpness));
    Operand<TFloat32> divergenceN =
        tf.reduceSum(
            tf.math.mul(tf.math.exp(logTeacherNV), tf.math.sub(logTeacherNV, logStudentNV)),
            tf.constant(-1));
    return tf.math.mul(
        tf.math.mean(divergenceN, tf.constant(0)),
        tf.constant((float) (temperature * temperature)));
  }
}
