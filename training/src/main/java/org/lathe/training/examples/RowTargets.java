package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.Arrays;

/**
 * What is to be predicted for each of N rows. The arrays of the task's kind have N values, the
 * others none; all are empty where nothing is known. Masked tokens are known of a batch only, and
 * are as many as were chosen in it.
 *
 * @param classes class indices
 * @param numbers numbers of a regression
 * @param starts first token of the answer; 0, the first special token, where the row has none
 * @param ends last token of the answer, inclusive; 0 likewise
 * @param places of the chosen tokens among the B * T of a batch, ascending
 * @param words what stood there
 */
public record RowTargets(
    int[] classes, float[] numbers, int[] starts, int[] ends, int[] places, int[] words) {
  private static final int[] NO_INTS = {};
  private static final float[] NO_FLOATS = {};

  /** Nothing is known. */
  public static final RowTargets NONE =
      new RowTargets(NO_INTS, NO_FLOATS, NO_INTS, NO_INTS, NO_INTS, NO_INTS);

  /** Targets of a classification. */
  public static RowTargets ofClasses(int[] classes) {
    return new RowTargets(classes, NO_FLOATS, NO_INTS, NO_INTS, NO_INTS, NO_INTS);
  }

  /** Targets of a regression. */
  public static RowTargets ofNumbers(float[] numbers) {
    return new RowTargets(NO_INTS, numbers, NO_INTS, NO_INTS, NO_INTS, NO_INTS);
  }

  /** Targets of an extraction. */
  public static RowTargets ofSpans(int[] starts, int[] ends) {
    Preconditions.checkArgument(
        starts.length == ends.length, "%s starts for %s ends", starts.length, ends.length);
    return new RowTargets(NO_INTS, NO_FLOATS, starts, ends, NO_INTS, NO_INTS);
  }

  /** Masked tokens of a batch. */
  static RowTargets ofMasked(int[] places, int[] words) {
    Preconditions.checkArgument(
        places.length == words.length, "%s places for %s words", places.length, words.length);
    return new RowTargets(NO_INTS, NO_FLOATS, NO_INTS, NO_INTS, places, words);
  }

  /** Whether these are targets of so many rows, or none at all. */
  boolean fit(int numRows) {
    return (classes.length == 0 || classes.length == numRows)
        && (numbers.length == 0 || numbers.length == numRows)
        && (starts.length == 0 || starts.length == numRows);
  }

  /** Targets of these rows. */
  RowTargets of(int[] rows) {
    float[] chosen = new float[numbers.length == 0 ? 0 : rows.length];
    for (int i = 0; i < chosen.length; i++) {
      chosen[i] = numbers[rows[i]];
    }
    return new RowTargets(
        pick(classes, rows), chosen, pick(starts, rows), pick(ends, rows), NO_INTS, NO_INTS);
  }

  private static int[] pick(int[] values, int[] rows) {
    return values.length == 0 ? NO_INTS : Arrays.stream(rows).map(row -> values[row]).toArray();
  }
}
