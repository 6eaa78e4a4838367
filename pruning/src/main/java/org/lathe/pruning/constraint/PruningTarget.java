package org.lathe.pruning.constraint;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.List;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.budget.ExpectedSizeOps;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.ParameterCount;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * What shall be reached, and how much of it is: the s of the Lagrangian.
 *
 * @param reduction in [0, 1): the share that shall be removed, of parameters or of time
 * @param tables measured times, one a batch size, for SPEEDUP only: the reduction is reached when
 *     it is reached at every one of them
 */
public record PruningTarget(TargetKind kind, double reduction, List<LatencyTable> tables) {
  public PruningTarget {
    tables = ImmutableList.copyOf(tables);
    Preconditions.checkArgument(
        reduction >= 0 && reduction < 1, "reduction (%s) must be in [0, 1)", reduction);
    Preconditions.checkArgument(
        (kind == TargetKind.SPEEDUP) == !tables.isEmpty(), "%s with tables %s", kind, tables);
  }

  /**
   * @param sparsity share of the prunable parameters to remove, in [0, 1)
   */
  public static PruningTarget sparsity(double sparsity) {
    if (!(sparsity >= 0 && sparsity < 1)) {
      throw new ConfigException(
          "sparsity " + sparsity + " cannot be reached; choose one from 0 to below 1, such as 0.8");
    }
    return new PruningTarget(TargetKind.SPARSITY, sparsity, ImmutableList.of());
  }

  /**
   * A sparsity, said as what is left.
   *
   * @param parameters prunable parameters that may stay
   * @throws ConfigException when the model has no more than these
   */
  public static PruningTarget parameters(long parameters, TransformerConfig config) {
    long prunable = ParameterCount.count(config);
    if (parameters >= prunable) {
      throw new ConfigException(
          parameters
              + " parameters are no target for a model that has "
              + prunable
              + " in its attention and feed-forward layers; choose fewer");
    }
    return sparsity(1 - (double) parameters / prunable);
  }

  /**
   * @param factor full time / pruned time, at least 1, what pruning leaves included
   * @throws ConfigException when a table does not fit the model, or when even removing every
   *     sublayer would not be that fast
   */
  public static PruningTarget speedup(
      double factor, List<LatencyTable> tables, TransformerConfig config) {
    tables.forEach(table -> requireReachable(factor, table, config));
    return new PruningTarget(TargetKind.SPEEDUP, 1 - 1 / factor, tables);
  }

  /** Full time / pruned time of a SPEEDUP target. */
  public double speedup() {
    Preconditions.checkState(kind == TargetKind.SPEEDUP, "%s is no speed-up", this);
    return 1 / (1 - reduction);
  }

  private static void requireReachable(
      double factor, LatencyTable table, TransformerConfig config) {
    if (table.hiddenSize() != config.hiddenSize()
        || config.blocks().stream()
            .anyMatch(
                block ->
                    block.numHeads() > table.numHeads()
                        || block.intermediateSize() > table.maxFeedForwardWidth())) {
      throw new ConfigException(
          "the latency table was measured for hidden size "
              + table.hiddenSize()
              + ", "
              + table.numHeads()
              + " heads and width "
              + table.maxFeedForwardWidth()
              + ", the model is larger or has another hidden size ("
              + config.hiddenSize()
              + "). Measure a table for this model.");
    }
    double limit = table.speedupLimit(config);
    if (!(factor >= 1 && factor < limit)) {
      throw new ConfigException(
          "speed-up "
              + factor
              + " cannot be reached: what pruning leaves takes "
              + table.otherMs()
              + " of "
              + table.fullMs(config)
              + " ms. Choose a factor from 1 to below "
              + limit
              + ".");
    }
  }

  /** The share removed at expected or exact sizes. */
  public double achieved(TransformerConfig full, ExpectedSizes sizes) {
    return switch (kind) {
      case SPARSITY -> ParameterCount.sparsity(full, sizes);
      case SPEEDUP ->
          tables.stream()
              .mapToDouble(times -> 1 - times.expectedMs(sizes) / times.fullMs(full))
              .min()
              .orElseThrow();
    };
  }

  /** Whether expected or exact sizes remove at least as much as asked. */
  public boolean isReached(TransformerConfig full, ExpectedSizes sizes) {
    return achieved(full, sizes) >= reduction;
  }

  /** The share removed at expected sizes, a scalar that is differentiable in the gate logits. */
  public Operand<TFloat32> achieved(Ops tf, TransformerConfig full, ExpectedSizeOps sizes) {
    return switch (kind) {
      case SPARSITY -> ParameterCount.sparsity(tf, full, sizes);
      case SPEEDUP ->
          tables.stream()
              .map(times -> reduction(tf, times, full, sizes))
              .reduce(tf.math::minimum)
              .orElseThrow();
    };
  }

  private static Operand<TFloat32> reduction(
      Ops tf, LatencyTable times, TransformerConfig full, ExpectedSizeOps sizes) {
    return tf.math.sub(
        tf.constant(1f),
        tf.math.mul(times.expectedMs(tf, sizes), tf.constant((float) (1 / times.fullMs(full)))));
  }
}
