package org.lathe.cli.workflow;

import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.training.datastore.NeighborSearch;

/** Which memory an evaluation adds to the model's own vocabulary distribution. */
public enum MemoryKind {
  /** The vocabulary softmax alone. */
  NONE,
  /** A continuous cache over the window: local memory of a model that was trained without. */
  CACHE,
  /** TRIME local memory: the tokens of the window. */
  LOCAL,
  /** TRIME long-term memory: the last {@code evaluation.longTermItems} tokens of the document. */
  LONG,
  /** kNN-LM: a nearest-neighbor store by itself, interpolated. */
  KNN,
  /** All at once: the window, long-term memory and the neighbors in a store. */
  EXTERNAL;

  /** Whether it retrieves from a store. */
  public boolean usesStore() {
    return this == KNN || this == EXTERNAL;
  }

  /** By distance for kNN-LM and for models that know nothing of memory. */
  NeighborSearch.Metric metric(MemoryConfig trained) {
    return this == EXTERNAL && trained.objective() != MemoryObjective.NONE
        ? NeighborSearch.Metric.INNER_PRODUCT
        : NeighborSearch.Metric.SQUARED_L2;
  }
}
