package org.lathe.pruning.distillation;

/** Which student layer a teacher layer is compared with. */
public enum Matching {
  /** The layer of the same number; no term where it no longer exists. */
  FIXED,
  /** The cheapest existing one; several teacher layers may choose the same (CoFi's version 3). */
  FREE,
  /**
   * The cheapest choice in which a higher teacher layer has a higher student layer, exactly; where
   * fewer students exist than teacher layers, as many as possible are matched.
   */
  ORDERED
}
