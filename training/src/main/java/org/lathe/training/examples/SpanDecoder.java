package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * From logits to answers as in SQuAD's usual evaluation (Devlin et al. 2019, section 4.2): in each
 * window the best starts and ends are paired where both lie in the context, the end is not before
 * the start and the answer not too long; of all windows of a question the pair of the largest start
 * logit + end logit is the answer, cut from the original text.
 */
public final class SpanDecoder {
  /** Ties go to the earlier window, then to the candidate found first. */
  private static final Comparator<PredictedAnswer> BEST_FIRST =
      Comparator.comparingDouble((PredictedAnswer answer) -> -answer.score());

  private final SpanRows rows;
  private final SpanSettings settings;
  private final List<List<PredictedAnswer>> candidates = new ArrayList<>();

  public SpanDecoder(SpanRows rows, SpanSettings settings) {
    this.rows = rows;
    this.settings = settings;
    for (int row = 0; row < rows.rows().size(); row++) {
      candidates.add(List.of());
    }
  }

  /**
   * Takes the logits of a batch; rows that do not count are passed over.
   *
   * @param startLogits B * T
   * @param endLogits B * T
   */
  public void add(ExampleBatch batch, float[] startLogits, float[] endLogits) {
    int size = batch.batchSize() * batch.length();
    Preconditions.checkArgument(
        startLogits.length == size && endLogits.length == size,
        "%s start and %s end logits for a batch of %s tokens",
        startLogits.length,
        endLogits.length,
        size);
    for (int i = 0; i < batch.numRows(); i++) {
      int row = batch.rows()[i];
      candidates.set(row, window(row, startLogits, endLogits, i * batch.length()));
    }
  }

  /** The best answer of each question, in their order; "" where no window gave one. */
  public List<String> answers() {
    return IntStream.range(0, rows.questions().size())
        .mapToObj(this::best)
        .map(best -> best.isEmpty() ? "" : best.get(0).text())
        .toList();
  }

  /** The best answers of a question, best first, each place of the context once. */
  public List<PredictedAnswer> best(int question) {
    List<PredictedAnswer> all = new ArrayList<>();
    for (int row = firstRow(question); row < rows.questionOfRow().length; row++) {
      if (rows.questionOfRow()[row] != question) {
        break;
      }
      all.addAll(candidates.get(row));
    }
    all.sort(BEST_FIRST);
    List<PredictedAnswer> best = new ArrayList<>();
    for (PredictedAnswer answer : all) {
      // windows that overlap give the same words twice
      boolean known =
          best.stream()
              .anyMatch(
                  other ->
                      other.start() == answer.start()
                          && other.text().length() == answer.text().length());
      if (!known && best.size() < settings.numBest()) {
        best.add(answer);
      }
    }
    return best;
  }

  private List<PredictedAnswer> window(
      int row, float[] startLogits, float[] endLogits, int offset) {
    int[] starts = rows.starts()[row];
    int[] ends = rows.ends()[row];
    String context = rows.questions().get(rows.questionOfRow()[row]).context();
    int[] bestEnds = largest(endLogits, offset, starts);
    List<PredictedAnswer> found = new ArrayList<>();
    for (int from : largest(startLogits, offset, starts)) {
      for (int to : bestEnds) {
        // a token that is only a space has no place of its own
        if (to >= from && to - from < settings.maxAnswerTokens() && ends[to] > starts[from]) {
          found.add(
              new PredictedAnswer(
                  context.substring(starts[from], ends[to]),
                  starts[from],
                  startLogits[offset + from] + endLogits[offset + to]));
        }
      }
    }
    found.sort(BEST_FIRST);
    return List.copyOf(found.subList(0, Math.min(found.size(), settings.numBest())));
  }

  /** The numBest tokens of the context with the largest logits. */
  private int[] largest(float[] logits, int offset, int[] starts) {
    return IntStream.range(0, starts.length)
        .filter(token -> starts[token] >= 0)
        .boxed()
        .sorted(Comparator.comparingDouble(token -> -logits[offset + token]))
        .limit(settings.numBest())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private int firstRow(int question) {
    Preconditions.checkElementIndex(question, rows.questions().size());
    int row = Arrays.binarySearch(rows.questionOfRow(), question);
    while (row > 0 && rows.questionOfRow()[row - 1] == question) {
      row--;
    }
    return row;
  }
}
