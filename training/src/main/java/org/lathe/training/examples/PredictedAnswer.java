package org.lathe.training.examples;

/**
 * A part of a context that a model takes for the answer.
 *
 * @param text as it stands in the context
 * @param start where it begins, in code units
 * @param score start logit + end logit
 */
public record PredictedAnswer(String text, int start, float score) {}
