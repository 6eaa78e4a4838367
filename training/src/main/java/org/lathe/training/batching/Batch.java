package org.lathe.training.batching;

/**
 * B segments of T tokens, (B,T) row by row.
 *
 * @param inputs B * T tokens
 * @param targets the token after each input, B * T
 */
public record Batch(int batchSize, int segmentLength, int[] inputs, int[] targets) {}
