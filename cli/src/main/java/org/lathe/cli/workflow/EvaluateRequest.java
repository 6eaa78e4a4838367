package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lathe.cli.config.Overrides;

/**
 * Measures a run on one split with each of the given memories.
 *
 * @param run a training or pruning run; its own configuration is the base of the overrides
 * @param split train, valid or test
 * @param memories one measurement each, in this order
 * @param tune choose temperature and interpolation on the validation split first
 * @param data prepared data of another corpus to measure on; else the run's own
 * @param store directory of the external memory; else the run's training text, in the heap
 * @param storeFractions parts of the store used, one measurement each, in (0, 1]
 * @param numExplained positions whose prediction is taken apart by memory item
 * @param served exported version of an encoder's run, measured in place of the run
 * @param overrides changes to the run's configuration
 */
public record EvaluateRequest(
    Path run,
    String split,
    List<MemoryKind> memories,
    boolean tune,
    Optional<Path> data,
    Optional<Path> store,
    List<Double> storeFractions,
    int numExplained,
    Optional<Path> served,
    Overrides overrides) {
  public EvaluateRequest {
    memories = List.copyOf(memories);
    storeFractions = List.copyOf(storeFractions);
  }
}
