/** Variables by name and group, their first values, and scalars fed at every step. */
@NullMarked
package org.lathe.graphs.variables;

import org.jspecify.annotations.NullMarked;
