package org.lathe.pruning.constraint;

import com.google.common.base.Preconditions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
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
 * @param table measured times; present for SPEEDUP only
 */
public record PruningTarget(TargetKind kind, double reduction, @Nullable LatencyTable table) {
  public PruningTarget {
    Preconditions.checkArgument(
        reduction >= 0 && reduction < 1, "reduction (%s) must be in [0, 1)", reduction);
    Preconditions.checkArgument(
        (kind == TargetKind.SPEEDUP) == (table != null), "%s with table %s", kind, table);
  }

  /**
   * @param sparsity share of the prunable parameters to remove, in [0, 1)
   */
  public static PruningTarget sparsity(double sparsity) {
    if (!(sparsity >= 0 && sparsity < 1)) {
      throw new ConfigException(
          "sparsity " + sparsity + " cannot be reached; choose one from 0 to below 1, such as 0.8");
    }
    return new PruningTarget(TargetKind.SPARSITY, sparsity, null);
  }

  /**
   * @param factor full time / pruned time, at least 1, what pruning leaves included
   * @throws ConfigException when the table does not fit the model, or when even removing every
   *     sublayer would not be that fast
   */
  public static PruningTarget speedup(double factor, LatencyTable table, TransformerConfig config) {
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
    double limit = table.fullMs(config) / table.otherMs();
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
    return new PruningTarget(TargetKind.SPEEDUP, 1 - 1 / factor, table);
  }

  /** The share removed at expected or exact sizes. */
  public double achieved(TransformerConfig full, ExpectedSizes sizes) {
    return switch (kind) {
      case SPARSITY -> ParameterCount.sparsity(full, sizes);
      case SPEEDUP -> {
        LatencyTable times = Objects.requireNonNull(table);
        yield 1 - times.expectedMs(sizes) / times.fullMs(full);
      }
    };
  }

  /** The share removed at expected sizes, a scalar that is differentiable in the gate logits. */
  public Operand<TFloat32> achieved(Ops tf, TransformerConfig full, ExpectedSizeOps sizes) {
    return switch (kind) {
      case SPARSITY -> ParameterCount.sparsity(tf, full, sizes);
      case SPEEDUP -> {
        LatencyTable times = Objects.requireNonNull(table);
        yield tf.math.sub(
            tf.constant(1f),
            tf.math.mul(
                times.expectedMs(tf, sizes), tf.constant((float) (1 / times.fullMs(full)))));
      }
    };
  }
}
