package org.lathe.training.loop;

import java.util.List;
import java.util.Map;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.training.optimization.ParameterGroup;
import org.tensorflow.Operand;
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
   */
  record Site(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      Operand<TInt32> inputsBT,
      Operand<TInt32> targetsN,
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
   */
  record Built(
      Operand<TFloat32> loss,
      Operand<TFloat32> validationLoss,
      Map<String, Operand<TFloat32>> metrics,
      List<ParameterGroup> groups,
      double clipNorm) {}

  Built build(Site site);
}
