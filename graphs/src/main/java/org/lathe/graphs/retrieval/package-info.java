/** Search among stored keys as ops, for a saved graph. Knows arrays and operands, no files. */
@NullMarked
package org.lathe.graphs.retrieval;

import org.jspecify.annotations.NullMarked;
