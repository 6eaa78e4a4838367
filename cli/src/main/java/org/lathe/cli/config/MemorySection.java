package org.lathe.cli.config;

import org.lathe.graphs.config.MemoryConfig;

/**
 * The memory in the training objective (TRIME section 3).
 *
 * @param objective none, local, consecutive (long-term) or external
 * @param dropLocal probability per batch that the own segment is hidden; external only
 * @param segmentsPerGroup consecutive segments of one document in a batch; consecutive only; 0 =
 *     the whole batch
 */
public record MemorySection(
    MemoryConfig.MemoryObjective objective, double dropLocal, int segmentsPerGroup) {
  public MemorySection {
    Check.within("memory.dropLocal", dropLocal, 0, 1);
    Check.require(
        dropLocal == 0 || objective == MemoryConfig.MemoryObjective.EXTERNAL,
        "memory.dropLocal",
        dropLocal,
        "0 unless memory.objective is external");
    Check.atLeast("memory.segmentsPerGroup", segmentsPerGroup, 0);
    Check.require(
        segmentsPerGroup == 0 || objective == MemoryConfig.MemoryObjective.CONSECUTIVE,
        "memory.segmentsPerGroup",
        segmentsPerGroup,
        "0 unless memory.objective is consecutive");
  }

  /** The objective's configuration for a model first trained at this hidden size. */
  public MemoryConfig toMemoryConfig(int hiddenSize) {
    return new MemoryConfig(objective, 1 / Math.sqrt(hiddenSize), dropLocal, segmentsPerGroup);
  }
}
