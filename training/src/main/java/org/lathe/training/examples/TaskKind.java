package org.lathe.training.examples;

/** What a task predicts. */
public enum TaskKind {
  /** One of several classes for a text or a pair of texts. */
  CLASSIFICATION,
  /** A number for a text or a pair of texts. */
  REGRESSION,
  /** The part of a context that answers a question. */
  SPAN,
  /** The tokens that stood where masks are; plain text is all it needs. */
  MASKED_LM
}
