package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import org.lathe.cli.config.Overrides;

/**
 * Measures a run on one split with each of the given memories.
 *
 * @param run a training or pruning run; its own configuration is the base of the overrides
 * @param split train, valid or test
 * @param memories one measurement each, in this order
 * @param tune choose temperature and interpolation on the validation split first
 * @param overrides changes to the run's configuration
 */
public record EvaluateRequest(
    Path run, String split, List<MemoryKind> memories, boolean tune, Overrides overrides) {
  public EvaluateRequest {
    memories = List.copyOf(memories);
  }
}
