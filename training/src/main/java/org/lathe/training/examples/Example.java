package org.lathe.training.examples;

import org.jspecify.annotations.Nullable;

/**
 * A text or a pair of texts.
 *
 * @param id of the source, or the number of the row from 0
 * @param text the first text
 * @param secondText the second text; null in tasks with one text
 * @param label class index, or the number of a regression; NaN where it is not known
 */
public record Example(String id, String text, @Nullable String secondText, double label) {
  /** Whether the label is known. */
  public boolean isLabelled() {
    return !Double.isNaN(label);
  }
}
