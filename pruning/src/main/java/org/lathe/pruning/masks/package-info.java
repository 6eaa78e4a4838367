/**
 * Masks on single weights or blocks of weights: how they are learned or computed, and what is kept
 * of them. May build graphs; neither files nor sessions.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.masks;
