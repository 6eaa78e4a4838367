/**
 * Perplexity by sliding windows, with every memory, and what each prediction owes to which item;
 * runs trained models over text.
 */
@NullMarked
package org.lathe.training.evaluation;

import org.jspecify.annotations.NullMarked;
