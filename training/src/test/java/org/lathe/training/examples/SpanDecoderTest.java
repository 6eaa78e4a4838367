package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.training.text.InputTokenizer;
import org.lathe.training.text.TokenizerDefinition;

class SpanDecoderTest {
  private static final TokenizerDefinition DEFINITION =
      TokenizerDefinition.fromVocabulary(
          List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "##b", "?", "."), true);

  @Test
  void targetsAreTheTokensOfTheAnswer() {
    //          0123456789
    String context = "a 😀 ab. c d";
    SpanRows rows =
        tokenize(
            List.of(
                question("b ?", context, new Answer("ab", 5), new Answer("c", 9)),
                // part of a token stands for the whole token
                question("b ?", context, new Answer("b. c", 6)),
                question("b ?", context, new Answer(context, 0))),
            32);
    // [CLS] b ? [SEP] a U a ##b . c d [SEP]
    assertThat(rows.rows().size()).isEqualTo(3);
    assertThat(rows.starts()[0]).containsExactly(-1, -1, -1, -1, 0, 2, 5, 6, 7, 9, 11, -1);
    assertThat(rows.rows().targets().starts()).containsExactly(6, 7, 4);
    assertThat(rows.rows().targets().ends()).containsExactly(7, 9, 10);
  }

  @Test
  void windowsWithoutTheWholeAnswerPointAtTheFirstToken() {
    // 5 tokens of context in a window, 2 of them shared
    SpanRows rows = tokenize(List.of(question("b", "a b c d a b c d", new Answer("d a", 6))), 9);
    assertThat(rows.rows().ids())
        .isDeepEqualTo(
            new int[][] {
              {2, 5, 3, 4, 5, 6, 7, 4, 3}, {2, 5, 3, 7, 4, 5, 6, 7, 3},
            });
    assertThat(rows.rows().targets().starts()).containsExactly(6, 3);
    assertThat(rows.rows().targets().ends()).containsExactly(7, 4);
    SpanRows apart =
        tokenize(List.of(question("b", "a b c d a b c d", new Answer("b c d a b", 2))), 9);
    assertThat(apart.rows().targets().starts()).containsExactly(0, 0);
    assertThat(apart.rows().targets().ends()).containsExactly(0, 0);
    assertThat(tokenize(List.of(question("b", "a b")), 9).rows().targets().starts()).isEmpty();
  }

  @Test
  void tokensThatShareACharacterBelongTogether() {
    Question question = question("?", "x", new Answer("x", 0));
    // a character of three tokens
    int[][] starts = {{-1, 0, 0, 0, -1}};
    int[][] ends = {{-1, 1, 1, 1, -1}};
    RowTargets targets = SpanTokenizer.targets(List.of(question), new int[] {0}, starts, ends);
    assertThat(targets.starts()).containsExactly(1);
    assertThat(targets.ends()).containsExactly(3);
  }

  @Test
  void answersAreTheBestPairsOfAllWindows() {
    Random random = new Random(11);
    List<Question> questions = new ArrayList<>();
    for (int q = 0; q < 12; q++) {
      StringBuilder context = new StringBuilder();
      int numWords = 1 + random.nextInt(25);
      for (int i = 0; i < numWords; i++) {
        context.append("abcd".charAt(random.nextInt(4))).append(' ').append(i % 5 == 0 ? " " : "");
      }
      questions.add(question("a b?", context.toString()));
    }
    SpanRows rows = tokenize(questions, 14);
    SpanSettings settings = new SpanSettings(100, 4);
    SpanDecoder decoder = new SpanDecoder(rows, settings);
    float[][] startLogits = new float[rows.rows().size()][];
    float[][] endLogits = new float[rows.rows().size()][];
    EvaluationBatches batches = new EvaluationBatches(rows.rows(), 5, BatchLength.LONGEST);
    for (int b = 0; b < batches.numBatches(); b++) {
      ExampleBatch batch = batches.at(b);
      int size = batch.batchSize() * batch.length();
      float[] starts = new float[size];
      float[] ends = new float[size];
      for (int i = 0; i < size; i++) {
        starts[i] = random.nextFloat();
        ends[i] = random.nextFloat();
      }
      for (int i = 0; i < batch.numRows(); i++) {
        int from = i * batch.length();
        startLogits[batch.rows()[i]] = Arrays.copyOfRange(starts, from, from + batch.length());
        endLogits[batch.rows()[i]] = Arrays.copyOfRange(ends, from, from + batch.length());
      }
      decoder.add(batch, starts, ends);
    }
    List<String> answers = decoder.answers();
    for (int q = 0; q < questions.size(); q++) {
      PredictedAnswer expected = bruteForce(rows, q, startLogits, endLogits, 4);
      assertThat(answers.get(q)).isEqualTo(expected.text());
      assertThat(decoder.best(q).get(0)).isEqualTo(expected);
      assertThat(decoder.best(q)).doesNotHaveDuplicates();
      assertThat(decoder.best(q))
          .isSortedAccordingTo(Comparator.comparingDouble(answer -> -answer.score()));
    }
  }

  private static PredictedAnswer bruteForce(
      SpanRows rows, int question, float[][] startLogits, float[][] endLogits, int maxTokens) {
    PredictedAnswer best = new PredictedAnswer("", -1, Float.NEGATIVE_INFINITY);
    for (int row = 0; row < rows.rows().size(); row++) {
      int length = rows.rows().length(row);
      for (int from = 0; from < length && rows.questionOfRow()[row] == question; from++) {
        for (int to = from; to < Math.min(length, from + maxTokens); to++) {
          int start = rows.starts()[row][from];
          int end = rows.ends()[row][to];
          float score = startLogits[row][from] + endLogits[row][to];
          if (start >= 0 && end >= 0 && score > best.score()) {
            String context = rows.questions().get(question).context();
            best = new PredictedAnswer(context.substring(start, end), start, score);
          }
        }
      }
    }
    return best;
  }

  @Test
  void onlyTheBestStartsAndEndsAreTried() {
    SpanRows rows = tokenize(List.of(question("b", "a b c d")), 16);
    // [CLS] b [SEP] a b c d [SEP]; the question and special tokens shine in vain
    float[] starts = {9, 9, 9, 1, 2, 3, 4, 9};
    float[] ends = {9, 9, 9, 4, 3, 1, 2, 9};
    ExampleBatch batch = new EvaluationBatches(rows.rows(), 1, BatchLength.LONGEST).at(0);
    // with one candidate each the start d comes after the end a
    SpanDecoder one = new SpanDecoder(rows, new SpanSettings(1, 30));
    one.add(batch, starts, ends);
    assertThat(one.answers()).containsExactly("");
    assertThat(one.best(0)).isEmpty();
    SpanDecoder all = new SpanDecoder(rows, SpanSettings.DEFAULT);
    all.add(batch, starts, ends);
    // d: 4 + 2
    assertThat(all.best(0).get(0)).isEqualTo(new PredictedAnswer("d", 6, 6));
    assertThat(all.best(0)).hasSize(10);
    SpanDecoder three = new SpanDecoder(rows, new SpanSettings(3, 30));
    three.add(batch, starts, ends);
    assertThat(three.best(0)).hasSize(3);
  }

  private static Question question(String question, String context, Answer... answers) {
    return new Question("q", 0, question, context, List.of(answers));
  }

  private static SpanRows tokenize(List<Question> questions, int maxLength) {
    try (InputTokenizer tokenizer = InputTokenizer.forWindows(DEFINITION, maxLength, 2, 3)) {
      return SpanTokenizer.tokenize(questions, tokenizer);
    }
  }
}
