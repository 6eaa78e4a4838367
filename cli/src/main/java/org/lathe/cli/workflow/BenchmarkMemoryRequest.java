package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lathe.cli.config.Overrides;

/**
 * Times the scoring of a text with each of the given memories beside scoring without.
 *
 * @param run a training or pruning run; its own configuration is the base of the overrides
 * @param split train, valid or test
 * @param memories timed in turns, each once; those with a store twice, without an index and with
 * @param numTokens of the split, from the first on
 * @param repeats timed passes of each
 * @param data prepared data of another corpus to measure on; else the run's own
 * @param store directory of the external memory; else the run's training text, in the heap
 * @param overrides changes to the run's configuration
 */
public record BenchmarkMemoryRequest(
    Path run,
    String split,
    List<MemoryKind> memories,
    int numTokens,
    int repeats,
    Optional<Path> data,
    Optional<Path> store,
    Overrides overrides) {
  public BenchmarkMemoryRequest {
    memories = List.copyOf(memories);
  }
}
