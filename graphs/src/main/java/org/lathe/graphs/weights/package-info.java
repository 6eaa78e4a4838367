/** Weights as names and arrays, outside any session. */
@NullMarked
package org.lathe.graphs.weights;

import org.jspecify.annotations.NullMarked;
