package org.lathe.export.retrieval;

import com.google.common.base.Preconditions;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/**
 * An external memory and everything about its use that a served graph fixes.
 *
 * @param neighbors K; at most as many as there are items
 * @param probes lists that a search reads; at most as many as there are
 * @param mixing of local memory and of what was found with the vocabulary
 * @param tuned whether the mixing was chosen on validation text
 */
public record RetrievalPlan(
    StoredMemory memory, int neighbors, int probes, MemoryMixing mixing, boolean tuned) {

  public RetrievalPlan {
    Preconditions.checkArgument(neighbors >= 1, "neighbors (%s) must be at least 1", neighbors);
    Preconditions.checkArgument(probes >= 1, "probes (%s) must be at least 1", probes);
    neighbors = Math.min(neighbors, memory.values().length);
    probes = Math.min(probes, memory.index().numLists());
  }

  /**
   * Where nothing was tuned: local memory as the model was trained, and what was found interpolated
   * as published for TRIME. Only a model that was trained for external memory also has the items in
   * its softmax.
   *
   * @param temperature of the softmax with local memory
   */
  public static MemoryMixing defaultMixing(MemoryConfig memory, double temperature) {
    ExternalMixing published = MemoryMixing.PUBLISHED.external();
    Mixing recent =
        memory.objective() == MemoryObjective.NONE
            ? Mixing.linear(1, 0)
            : Mixing.shared(temperature);
    return new MemoryMixing(
        recent,
        new ExternalMixing(
            memory.objective() == MemoryObjective.EXTERNAL,
            published.temperature(),
            published.interpolation()));
  }

  /** Whether the earlier positions of a row take part. */
  public boolean usesLocal() {
    return mixing.recent().form() == Mixing.Form.SHARED || mixing.recent().interpolation() > 0;
  }
}
