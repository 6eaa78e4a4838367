/** The entry point, exit codes, and how failures become one sentence. */
@NullMarked
package org.lathe.cli;

import org.jspecify.annotations.NullMarked;
