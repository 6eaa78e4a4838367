package org.lathe.training.examples;

import java.util.ArrayList;
import java.util.List;
import org.lathe.training.text.EncodedWindow;
import org.lathe.training.text.InputTokenizer;

/** Turns questions into rows of token ids, a row for each window of the context. */
public final class SpanTokenizer {
  private SpanTokenizer() {}

  /**
   * Tokenizes all questions, in their order. The target of a row is the first answer where the
   * window holds all of it, else (0, 0); there are targets if every question has an answer.
   *
   * @param tokenizer made for windows
   */
  public static SpanRows tokenize(List<Question> questions, InputTokenizer tokenizer) {
    List<EncodedWindow> windows = new ArrayList<>();
    List<Integer> questionOfRow = new ArrayList<>();
    for (int q = 0; q < questions.size(); q++) {
      for (EncodedWindow window :
          tokenizer.windows(questions.get(q).question(), questions.get(q).context())) {
        windows.add(window);
        questionOfRow.add(q);
      }
    }
    int numRows = windows.size();
    int[][] ids = new int[numRows][];
    int[][] tokenTypes = new int[numRows][];
    int[][] starts = new int[numRows][];
    int[][] ends = new int[numRows][];
    for (int i = 0; i < numRows; i++) {
      ids[i] = windows.get(i).input().ids();
      tokenTypes[i] = windows.get(i).input().tokenTypes();
      starts[i] = windows.get(i).starts();
      ends[i] = windows.get(i).ends();
    }
    int[] places = questionOfRow.stream().mapToInt(Integer::intValue).toArray();
    TokenRows rows =
        new TokenRows(
            ids,
            tokenTypes,
            targets(questions, places, starts, ends),
            tokenizer.definition().padId(),
            tokenizer.maxLength());
    return new SpanRows(rows, questions, places, starts, ends);
  }

  static RowTargets targets(
      List<Question> questions, int[] questionOfRow, int[][] starts, int[][] ends) {
    if (questions.stream().anyMatch(question -> question.answers().isEmpty())) {
      return RowTargets.NONE;
    }
    int[] first = new int[questionOfRow.length];
    int[] last = new int[questionOfRow.length];
    for (int row = 0; row < first.length; row++) {
      Answer answer = questions.get(questionOfRow[row]).answers().get(0);
      int from = lastTokenFrom(starts[row], answer.start());
      int to = firstTokenUpTo(ends[row], answer.end());
      if (from >= 0 && to >= from) {
        first[row] = from;
        last[row] = to;
      }
    }
    return RowTargets.ofSpans(first, last);
  }

  /**
   * The last token of the context that begins at or before a place; the first of those that share a
   * character. -1 without one.
   */
  private static int lastTokenFrom(int[] starts, int place) {
    int found = -1;
    for (int i = 0; i < starts.length; i++) {
      if (starts[i] >= 0 && starts[i] <= place && (found < 0 || starts[i] > starts[found])) {
        found = i;
      }
    }
    return found;
  }

  /**
   * The first token of the context that ends at or after a place; the last of those that share a
   * character. -1 without one.
   */
  private static int firstTokenUpTo(int[] ends, int place) {
    int found = -1;
    for (int i = 0; i < ends.length; i++) {
      if (ends[i] >= place && (found < 0 || ends[i] == ends[found])) {
        found = i;
      }
    }
    return found;
  }
}
