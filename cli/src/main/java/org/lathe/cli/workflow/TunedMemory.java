package org.lathe.cli.workflow;

import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.memory.MemoryMixing;

/**
 * What is chosen for a memory on the validation text.
 *
 * @param search where a store is searched; everywhere for memories without one
 */
record TunedMemory(MemoryMixing mixing, SearchPolicy search) {
  /** For a memory without a store, or one that is searched everywhere. */
  static TunedMemory of(MemoryMixing mixing) {
    return new TunedMemory(mixing, SearchPolicy.EVERYWHERE);
  }
}
