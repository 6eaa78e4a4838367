/** The HTML report and the pictures in it, made as text; knows nothing of models or runs. */
@NullMarked
package org.lathe.cli.report;

import org.jspecify.annotations.NullMarked;
