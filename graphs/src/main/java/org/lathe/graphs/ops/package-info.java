/** Stateless formulas: norms, masks, logSumExp, positions, dropout. */
@NullMarked
package org.lathe.graphs.ops;

import org.jspecify.annotations.NullMarked;
