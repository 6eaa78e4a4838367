/** Perplexity by sliding windows; runs trained models over text. */
@NullMarked
package org.lathe.training.evaluation;

import org.jspecify.annotations.NullMarked;
