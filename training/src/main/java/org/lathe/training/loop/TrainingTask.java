package org.lathe.training.loop;

import java.util.List;
import java.util.Map;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.training.optimization.ParameterGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** What is trained: adds a model and its loss to the trainer's graph. */
public interface TrainingTask {

  /**
   * Where a task builds.
   *
   * @param inputsBT token ids (B, T)
   * @param targetsN next tokens, flattened (B*T)
   * @param continues scalar: 1 where each row follows the same row of the batch before, else 0
   */
  record Site(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      Operand<TInt32> inputsBT,
      Operand<TInt32> targetsN,
      Operand<TFloat32> continues,
      int batchSize,
      int segmentLength,
      int seed) {}

  /**
   * What a task has built.
   *
   * @param loss scalar to minimize
   * @param validationLoss scalar in nats a token, without dropout or gate noise
   * @param metrics further scalars worth a line in metrics.jsonl, by name
   * @param groups which variables are updated, and how
   * @param clipNorm global norm to which the clipped groups' gradient is cut; 0 = never
   * @param stateUpdates run with every training micro-step: they keep what the next one needs in
   *     variables of group STATE, computed from values read before
   * @param validationUpdates the same for validation batches, in variables of group SCRATCH only
   */
  record Built(
      Operand<TFloat32> loss,
      Operand<TFloat32> validationLoss,
      Map<String, Operand<TFloat32>> metrics,
      List<ParameterGroup> groups,
      double clipNorm,
      List<Op> stateUpdates,
      List<Op> validationUpdates) {

    /** A task whose micro-steps leave nothing behind. */
    public Built(
        Operand<TFloat32> loss,
        Operand<TFloat32> validationLoss,
        Map<String, Operand<TFloat32>> metrics,
        List<ParameterGroup> groups,
        double clipNorm) {
      this(loss, validationLoss, metrics, groups, clipNorm, List.of(), List.of());
    }
  }

  Built build(Site site);
}
