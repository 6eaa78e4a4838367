/**
 * Choosing what goes without training a gate: by the gradient of the loss in the gates, by
 * position, or by lot; and rescaling what stays. Opens sessions; touches no files.
 */
@NullMarked
package org.lathe.pruning.importance;

import org.jspecify.annotations.NullMarked;
