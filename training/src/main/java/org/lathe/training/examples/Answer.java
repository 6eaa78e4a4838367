package org.lathe.training.examples;

/**
 * A right answer as a part of its context.
 *
 * @param text as it stands in the context
 * @param start where it begins, in UTF-16 code units
 */
public record Answer(String text, int start) {
  /** Where it ends, exclusive. */
  public int end() {
    return start + text.length();
  }
}
