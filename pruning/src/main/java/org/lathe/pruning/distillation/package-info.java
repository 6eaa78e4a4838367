/** Losses that pull a student towards its teacher. May build graphs; neither files nor sessions. */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.distillation;
