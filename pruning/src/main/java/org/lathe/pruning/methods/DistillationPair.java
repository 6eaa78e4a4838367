package org.lathe.pruning.methods;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.training.loop.BatchInput;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/**
 * A student beside its teacher in one graph, and what the student learns from: what pruning with
 * gates and the fine-tuning of a slim model have in common, for any kind of model.
 *
 * @param <B> the batches both read
 */
public interface DistillationPair<B> {

  /**
   * @param loss weighted sum of the terms
   * @param terms each unweighted term by name
   */
  record Loss(Operand<TFloat32> loss, Map<String, Operand<TFloat32>> terms) {}

  /** Declares both models in a task's graph. */
  interface Factory<B> {
    DistillationPair<B> build(TrainingTask.Site site);
  }

  BatchInput<B> input();

  /**
   * Adds a call of both models.
   *
   * @param gates of the student
   * @param existsL 1 where a layer of the student still exists, or null for all
   */
  Loss loss(Gates gates, @Nullable Operand<TFloat32> existsL, Dropout dropout);

  /**
   * The student's own loss on the labels or the text, without dropout: what a validation measures
   * under these gates.
   */
  Operand<TFloat32> validationLoss(Gates gates);

  /** What is updated of the student, and beside it. */
  List<Variable> trained();

  /** What an evaluation fetches of the student without gates and dropout, by name. */
  default Map<String, Operand<TFloat32>> outputs() {
    return Map.of();
  }
}
