package org.lathe.training.batching;

/**
 * B segments of T tokens, (B,T) row by row.
 *
 * @param inputs B * T tokens
 * @param targets the token after each input, B * T
 * @param continues each row follows the same row of the batch before in its text, so that a
 *     recurrent model may remember; false where texts begin
 */
public record Batch(
    int batchSize, int segmentLength, int[] inputs, int[] targets, boolean continues) {

  /** Segments that continue nothing. */
  public Batch(int batchSize, int segmentLength, int[] inputs, int[] targets) {
    this(batchSize, segmentLength, inputs, targets, false);
  }
}
