/** Moves weights between sessions, files and Java arrays, and tells them apart. */
@NullMarked
package org.lathe.training.weights;

import org.jspecify.annotations.NullMarked;
