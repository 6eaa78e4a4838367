/** Pruning methods as training tasks: gates, constraint and distillation joined to one loss. */
@NullMarked
package org.lathe.pruning.methods;

import org.jspecify.annotations.NullMarked;
