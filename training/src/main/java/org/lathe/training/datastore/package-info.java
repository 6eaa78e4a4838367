/** External memory: keys, values and the search among them. */
@NullMarked
package org.lathe.training.datastore;

import org.jspecify.annotations.NullMarked;
