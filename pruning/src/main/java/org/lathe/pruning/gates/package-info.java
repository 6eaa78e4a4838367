/**
 * Hard-concrete gates: their logits, samples and deterministic values. May build graphs; neither
 * files nor sessions.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.gates;
