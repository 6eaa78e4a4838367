/**
 * The entry point, exit codes, and how failures become one sentence. Nothing else prints or exits.
 */
@NullMarked
package org.lathe.cli;

import org.jspecify.annotations.NullMarked;
