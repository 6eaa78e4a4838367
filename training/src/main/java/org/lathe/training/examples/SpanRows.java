package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.List;

/**
 * Questions with the windows of their contexts, a row each; the rows of a question follow each
 * other, and the questions are in their order.
 *
 * @param questionOfRow index of each row's question
 * @param starts where each token of a row begins in the context, in code units; -1 outside of it
 * @param ends where each token of a row ends in the context, exclusive; -1 outside of it
 */
public record SpanRows(
    TokenRows rows, List<Question> questions, int[] questionOfRow, int[][] starts, int[][] ends) {
  public SpanRows {
    questions = List.copyOf(questions);
    Preconditions.checkArgument(
        questionOfRow.length == rows.size()
            && starts.length == rows.size()
            && ends.length == rows.size(),
        "places of %s, %s and %s rows for %s",
        questionOfRow.length,
        starts.length,
        ends.length,
        rows.size());
  }
}
