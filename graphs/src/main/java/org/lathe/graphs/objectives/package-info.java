/** What training minimizes: cross-entropy and the memory objective. */
@NullMarked
package org.lathe.graphs.objectives;

import org.jspecify.annotations.NullMarked;
