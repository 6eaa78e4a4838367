package org.lathe.training.examples;

/**
 * B rows of T tokens, row by row.
 *
 * @param batchSize B
 * @param length T
 * @param numRows rows that count, the first ones; the others repeat one of them to fill the batch
 * @param rows which row of the tokenized examples each row is, B
 * @param ids B * T
 * @param mask 1 for tokens, 0 for padding, B * T
 * @param tokenTypes B * T, 0 for padding
 * @param targets of the B rows, or none
 */
public record ExampleBatch(
    int batchSize,
    int length,
    int numRows,
    int[] rows,
    int[] ids,
    int[] mask,
    int[] tokenTypes,
    RowTargets targets) {}
