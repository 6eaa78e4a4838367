package org.lathe.training.text;

/**
 * A question with a part of its context.
 *
 * @param starts where each token begins in the context, in UTF-16 code units, T; -1 for tokens that
 *     are not of the context
 * @param ends where each token ends in the context, exclusive, T; -1 likewise
 */
public record EncodedWindow(EncodedInput input, int[] starts, int[] ends) {}
