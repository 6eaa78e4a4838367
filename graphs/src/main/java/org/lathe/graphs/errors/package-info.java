/** The failures that Lathe reports on purpose, one class an exit code. */
@NullMarked
package org.lathe.graphs.errors;

import org.jspecify.annotations.NullMarked;
