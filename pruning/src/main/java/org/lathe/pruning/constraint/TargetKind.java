package org.lathe.pruning.constraint;

/** What a pruning target speaks of. */
public enum TargetKind {
  /** 1 - N / M: removed share of the prunable parameters. */
  SPARSITY,
  /** 1 - ms / full ms: removed share of the measured time; 0.5 is twice as fast. */
  SPEEDUP
}
