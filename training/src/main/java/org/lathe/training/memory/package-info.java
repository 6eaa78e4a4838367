/**
 * Memory at test time in plain Java: which items a position sees, their mass, how it is mixed in,
 * and how the mixing is tuned. Temperatures divide s, the scaled score, everywhere.
 */
@NullMarked
package org.lathe.training.memory;

import org.jspecify.annotations.NullMarked;
