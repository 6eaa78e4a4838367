/** Measured figures as rows, and the tables of docs/results.md made from them. */
@NullMarked
package org.lathe.cli.results;

import org.jspecify.annotations.NullMarked;
