/** What is told on standard error while work goes on. */
@NullMarked
package org.lathe.cli.progress;

import org.jspecify.annotations.NullMarked;
