package org.lathe.training.metrics;

/** A score of predictions; the higher, the better. */
public enum Metric {
  /** Share of examples whose class was predicted. */
  ACCURACY("accuracy"),
  /** Harmonic mean of precision and recall of class 1. */
  F1("f1"),
  /** Matthews correlation of two or more classes, in [-1, 1]. */
  MATTHEWS("matthews"),
  /** Linear correlation of numbers, in [-1, 1]. */
  PEARSON("pearson"),
  /** Correlation of ranks, in [-1, 1]. */
  SPEARMAN("spearman"),
  /** Share of questions whose answer is a reference's, after SQuAD's normalization. */
  EXACT_MATCH("exact-match"),
  /** Mean over questions of the overlap in words with the closest reference. */
  ANSWER_F1("answer-f1"),
  /** Mean natural logarithm of the probability of what is right; exp of minus it is perplexity. */
  LOG_LIKELIHOOD("log-likelihood");

  private final String word;

  Metric(String word) {
    this.word = word;
  }

  /** Its name in metrics and results: "accuracy", "exact-match". */
  public String word() {
    return word;
  }
}
