package org.lathe.training.examples;

import java.util.List;

/**
 * A question about a text.
 *
 * @param id unique in its file
 * @param article number of the article from 0, so that sets can be split without sharing one
 * @param answers right answers, the first one is trained on; empty where none are known
 */
public record Question(
    String id, int article, String question, String context, List<Answer> answers) {
  public Question {
    answers = List.copyOf(answers);
  }

  /** The texts of the answers. */
  public List<String> references() {
    return answers.stream().map(Answer::text).toList();
  }
}
