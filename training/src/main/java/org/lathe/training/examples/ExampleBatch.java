package org.lathe.training.examples;

import com.google.common.base.Preconditions;

/**
 * B examples as an encoder reads them, row by row; each row is padded to T tokens. Of the labels
 * those that the task has are filled.
 *
 * @param ids B * T
 * @param present B * T: 1 for a token, 0 for padding
 * @param types B * T: 0 for the first text, 1 for the second
 * @param classes B, of classification
 * @param numbers B, of regression
 * @param starts B, token of the answer's begin; spans
 * @param ends B, token of the answer's end
 */
public record ExampleBatch(
    int batchSize,
    int length,
    int[] ids,
    int[] present,
    int[] types,
    int[] classes,
    float[] numbers,
    int[] starts,
    int[] ends) {
  public ExampleBatch {
    int numTokens = batchSize * length;
    Preconditions.checkArgument(
        ids.length == numTokens && present.length == numTokens && types.length == numTokens,
        "%s, %s and %s tokens are not %s rows of %s",
        ids.length,
        present.length,
        types.length,
        batchSize,
        length);
  }
}
