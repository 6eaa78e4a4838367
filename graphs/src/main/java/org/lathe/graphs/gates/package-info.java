/** Where a pruning gate may multiply; none by default. */
@NullMarked
package org.lathe.graphs.gates;

import org.jspecify.annotations.NullMarked;
