/** The failures that Lathe reports on purpose, each with its exit code. */
@NullMarked
package org.lathe.graphs.errors;

import org.jspecify.annotations.NullMarked;
