package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Every row exactly once, the longest first: the first batch shows whether the memory suffices. The
 * last batch is filled with rows that do not count; see {@link ExampleBatch#numRows}. What a model
 * says of row i of a batch belongs to {@code rows()[i]} of the tokenized examples.
 */
public final class EvaluationBatches {
  private final TokenRows rows;
  private final int batchSize;
  private final BatchLength batchLength;
  private final int[] order;

  /** Plans batches of B rows. */
  public EvaluationBatches(TokenRows rows, int batchSize, BatchLength batchLength) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    this.rows = rows;
    this.batchSize = batchSize;
    this.batchLength = batchLength;
    order =
        IntStream.range(0, rows.size())
            .boxed()
            .sorted(Comparator.comparingInt((Integer row) -> rows.length(row)).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
  }

  /** Batches for all rows: their number over B, rounded up. */
  public int numBatches() {
    return (int) (((long) order.length + batchSize - 1) / batchSize);
  }

  /** Batch of this number, from 0. */
  public ExampleBatch at(int batch) {
    Preconditions.checkElementIndex(batch, numBatches());
    int first = batch * batchSize;
    int numRows = Math.min(batchSize, order.length - first);
    int[] chosen = Arrays.copyOfRange(order, first, first + batchSize);
    Arrays.fill(chosen, numRows, batchSize, chosen[numRows - 1]);
    return BatchPacker.pack(rows, chosen, numRows, batchLength);
  }
}
