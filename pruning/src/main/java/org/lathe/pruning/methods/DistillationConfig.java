package org.lathe.pruning.methods;

import com.google.common.base.Preconditions;
import org.lathe.pruning.distillation.Matching;

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
}
