/** Layers: the constructor declares variables, call adds ops only. */
@NullMarked
package org.lathe.graphs.layers;

import org.jspecify.annotations.NullMarked;
