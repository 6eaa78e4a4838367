/** The only two classes that move weights between sessions, files and Java arrays. */
@NullMarked
package org.lathe.training.weights;

import org.jspecify.annotations.NullMarked;
