package org.lathe.training.metrics;

import com.google.common.base.Preconditions;
import com.google.common.base.Splitter;
import com.google.common.collect.HashMultiset;
import com.google.common.collect.Multiset;
import com.google.common.collect.Multisets;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleBiFunction;
import java.util.regex.Pattern;

/**
 * Scores of answers to questions as SQuAD 1.1 defines them (Rajpurkar et al. 2016): texts are
 * compared in lower case, without ASCII punctuation, without the articles a, an and the, and with
 * single spaces; of several references the closest counts.
 */
public final class AnswerScores {
  private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
  private static final Pattern ARTICLES =
      Pattern.compile("\\b(?:a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Splitter WORDS = Splitter.on(' ').omitEmptyStrings();

  private AnswerScores() {}

  /** The text that comparisons see. */
  public static String normalized(String answer) {
    String text = PUNCTUATION.matcher(answer.toLowerCase(Locale.ROOT)).replaceAll("");
    text = ARTICLES.matcher(text).replaceAll(" ");
    return SPACES.matcher(text).replaceAll(" ").strip();
  }

  /** 1 where the answer equals a reference, else 0. */
  public static double exactMatch(String answer, List<String> references) {
    return best(answer, references, (a, b) -> normalized(a).equals(normalized(b)) ? 1 : 0);
  }

  /**
   * 2 common words / (words of the answer + words of the reference), words counted as often as they
   * occur, of the reference where it is largest. 0 without a common word, also where both are
   * empty.
   */
  public static double f1(String answer, List<String> references) {
    return best(answer, references, AnswerScores::overlap);
  }

  private static double overlap(String answer, String reference) {
    Multiset<String> answerWords = HashMultiset.create(WORDS.split(normalized(answer)));
    Multiset<String> referenceWords = HashMultiset.create(WORDS.split(normalized(reference)));
    int common = Multisets.intersection(answerWords, referenceWords).size();
    return common == 0 ? 0 : 2.0 * common / (answerWords.size() + referenceWords.size());
  }

  private static double best(
      String answer, List<String> references, ToDoubleBiFunction<String, String> score) {
    Preconditions.checkArgument(!references.isEmpty(), "no reference for \"%s\"", answer);
    return references.stream()
        .mapToDouble(reference -> score.applyAsDouble(answer, reference))
        .max()
        .orElseThrow();
  }
}
