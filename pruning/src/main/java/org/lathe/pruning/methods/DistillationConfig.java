package org.lathe.pruning.methods;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.lathe.pruning.distillation.Matching;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * What a student learns from, as weights of the terms of its loss.
 *
 * @param taskWeight of the language-model loss on the true tokens, memory included. CoFi has no
 *     such term for classification; a language model keeps it, since text is its label
 * @param predictionWeight of tau^2 KL(teacher || student) on the vocabulary logits
 * @param layerWeight of the layerwise term (CoFi equation 6)
 * @param temperature tau of the prediction term
 * @param matching which student layer answers to which teacher layer
 */
public record DistillationConfig(
    double taskWeight,
    double predictionWeight,
    double layerWeight,
    double temperature,
    Matching matching) {
  public DistillationConfig {
    Preconditions.checkArgument(
        taskWeight >= 0 && predictionWeight >= 0 && layerWeight >= 0,
        "distillation weights (%s, %s, %s) must not be negative",
        taskWeight,
        predictionWeight,
        layerWeight);
    Preconditions.checkArgument(
        taskWeight + predictionWeight + layerWeight > 0,
        "at least one distillation weight must be positive");
    Preconditions.checkArgument(temperature > 0, "temperature (%s) must be positive", temperature);
  }

  /** The weighted sum of the task's, the prediction and the layerwise term, in this order. */
  Operand<TFloat32> sum(Ops tf, Collection<Operand<TFloat32>> terms) {
    double[] weights = {taskWeight, predictionWeight, layerWeight};
    List<Operand<TFloat32>> weighted = new ArrayList<>();
    for (Operand<TFloat32> term : terms) {
      weighted.add(tf.math.mul(term, tf.constant((float) weights[weighted.size()])));
    }
    return tf.math.addN(weighted);
  }
}
