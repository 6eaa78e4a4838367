package org.lathe.pruning.masks;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/** A way of masking kernels while a model is trained. */
public interface MaskRule {

  /**
   * What a rule adds to a task.
   *
   * @param penalty scalar that is added to the loss, or null
   * @param metrics scalars worth a line in metrics.jsonl, by name
   */
  record Installed(@Nullable Operand<TFloat32> penalty, Map<String, Operand<TFloat32>> metrics) {}

  /** Prefix of the scores' names; the kernel's name follows. Scores are of group GATE. */
  String SCORE_PREFIX = "scores/";

  /**
   * Puts masks between the kernels and the layers that read them; scores, if the rule learns any,
   * are declared in group GATE.
   *
   * @param site whose catalog holds the kernels, which no layer has read yet
   */
  Installed install(TrainingTask.Site site, PrunableKernels kernels);
}
