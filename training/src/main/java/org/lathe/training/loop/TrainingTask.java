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

/**
 * What is trained: adds a model and its loss to the trainer's graph.
 *
 * @param <B> the batches it learns from
 */
public interface TrainingTask<B> {

  /**
   * Where a task builds.
   *
   * @param batchSize B, rows of a batch
   * @param segmentLength T, positions of a row; the most there are where rows differ
   */
  record Site(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      int batchSize,
      int segmentLength,
      int seed) {}

  /**
   * What a task has built.
   *
   * @param input how a batch reaches the graph
   * @param loss scalar to minimize
   * @param validationLoss scalar, without dropout: nats a token for language models. While gates
   *     are learned, that of the gates as they are sampled
   * @param metrics further scalars worth a line in metrics.jsonl, by name
   * @param groups which variables are updated, and how
   * @param clipNorm global norm to which the clipped groups' gradient is cut; 0 = never
   * @param stateUpdates run with every training micro-step: they keep what the next one needs in
   *     variables of group STATE, computed from values read before
   * @param validationUpdates the same for validation batches, in variables of group SCRATCH only
   * @param outputs what {@link Trainer#outputs} gives, without dropout or gate noise, by name
   */
  record Built<B>(
      BatchInput<B> input,
      Operand<TFloat32> loss,
      Operand<TFloat32> validationLoss,
      Map<String, Operand<TFloat32>> metrics,
      List<ParameterGroup> groups,
      double clipNorm,
      List<Op> stateUpdates,
      List<Op> validationUpdates,
      Map<String, Operand<TFloat32>> outputs) {

    /** A task whose micro-steps leave nothing behind, known by its losses only. */
    public Built(
        BatchInput<B> input,
        Operand<TFloat32> loss,
        Operand<TFloat32> validationLoss,
        Map<String, Operand<TFloat32>> metrics,
        List<ParameterGroup> groups,
        double clipNorm) {
      this(input, loss, validationLoss, metrics, groups, clipNorm, List.of(), List.of(), Map.of());
    }
  }

  Built<B> build(Site site);
}
