package org.lathe.graphs.config;

import com.google.common.base.Preconditions;

/**
 * How memory takes part in the training objective (TRIME section 3; equation (1) of the reference).
 *
 * @param objective which in-batch items a position may see while training; NONE trains plain
 *     cross-entropy
 * @param scoreScale factor on the inner product g_t . g_j; 1 / sqrt(D) of the model as first
 *     trained, 1 / sqrt(P) where keys are learned ({@link TransformerConfig#keySize}). A slim model
 *     keeps it although its D is smaller, so that its scores do not change
 * @param dropLocal p: probability per batch that the own segment is hidden (EXTERNAL only; TRIME's
 *     best is 0.9)
 * @param segmentsPerGroup m: consecutive (CONSECUTIVE) or similar (EXTERNAL) segments that see each
 *     other; 0 = the whole batch is one group
 */
public record MemoryConfig(
    MemoryObjective objective, double scoreScale, double dropLocal, int segmentsPerGroup) {

  /** Which memory a model is trained with: TrimeLM, TrimeLM_long, TrimeLM_ext of the paper. */
  public enum MemoryObjective {
    NONE,
    LOCAL,
    CONSECUTIVE,
    EXTERNAL
  }

  public MemoryConfig {
    Preconditions.checkArgument(
        scoreScale > 0 && Double.isFinite(scoreScale),
        "scoreScale (%s) must be positive",
        scoreScale);
    Preconditions.checkArgument(
        dropLocal >= 0 && dropLocal <= 1, "dropLocal (%s) must be in [0, 1]", dropLocal);
    Preconditions.checkArgument(
        segmentsPerGroup >= 0, "segmentsPerGroup (%s) must not be negative", segmentsPerGroup);
  }

  /**
   * Memory of the given kind with the paper's scale and p.
   *
   * @param width of queries and keys, {@link TransformerConfig#tapWidth} of the model
   */
  public static MemoryConfig of(MemoryObjective objective, int width) {
    return new MemoryConfig(
        objective, 1 / Math.sqrt(width), objective == MemoryObjective.EXTERNAL ? 0.9 : 0, 0);
  }
}
