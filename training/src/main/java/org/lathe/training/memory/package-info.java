/**
 * Memory at test time in plain Java: which items a position sees, their mass, how it is mixed in.
 */
@NullMarked
package org.lathe.training.memory;

import org.jspecify.annotations.NullMarked;
