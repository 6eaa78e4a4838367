/** Records that describe a model and its memory, and refuse what cannot be built. */
@NullMarked
package org.lathe.graphs.config;

import org.jspecify.annotations.NullMarked;
