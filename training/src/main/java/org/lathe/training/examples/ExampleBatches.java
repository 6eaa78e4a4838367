package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lathe.training.batching.Epochs;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.similarity.SegmentOrder;

/**
 * The training batches as a function of the micro step, so that a resumed run needs no state. Each
 * epoch shuffles all rows anew; within windows of some batches the shuffled rows are sorted by
 * length, so that a batch holds rows of similar lengths and little padding; then the batches are
 * shuffled, so that lengths come in no order. Where B does not divide the number of rows, the first
 * rows of the epoch's order come a second time, so that every batch has B rows. Safe for several
 * threads.
 */
public final class ExampleBatches implements StepBatches<ExampleBatch> {
  /** Batches in a window: enough for similar lengths, few enough for a random order. */
  public static final int BATCHES_PER_WINDOW = 50;

  private record Epoch(long number, int[] order, int[] batches) {}

  private final TokenRows rows;
  private final int batchSize;
  private final BatchLength batchLength;
  private final long seed;
  private final int numBatches;

  // only remembers what the epoch number determines
  private volatile @Nullable Epoch latest;

  /** Plans batches of B rows. */
  public ExampleBatches(TokenRows rows, int batchSize, BatchLength batchLength, long seed) {
    Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
    this.rows = rows;
    this.batchSize = batchSize;
    this.batchLength = batchLength;
    this.seed = seed;
    numBatches = Math.toIntExact(((long) rows.size() + batchSize - 1) / batchSize);
    Math.multiplyExact(numBatches, batchSize);
  }

  /** Epoch e is the micro steps from e * batchesPerEpoch on. */
  @Override
  public ExampleBatch at(long microStep) {
    Preconditions.checkArgument(microStep >= 0, "microStep (%s) must not be negative", microStep);
    Epoch epoch = epoch(microStep / numBatches);
    int first = epoch.batches[(int) (microStep % numBatches)] * batchSize;
    int[] chosen = Arrays.copyOfRange(epoch.order, first, first + batchSize);
    return BatchPacker.pack(rows, chosen, batchSize, batchLength);
  }

  /** B. */
  public int batchSize() {
    return batchSize;
  }

  /** Batches in one pass over the rows: their number over B, rounded up. */
  public long batchesPerEpoch() {
    return numBatches;
  }

  private Epoch epoch(long number) {
    Epoch epoch = latest;
    if (epoch == null || epoch.number != number) {
      Random random = Epochs.random(seed, number);
      int[] shuffled = SegmentOrder.shuffled(rows.size(), random);
      int[] order = new int[numBatches * batchSize];
      for (int i = 0; i < order.length; i++) {
        order[i] = shuffled[i % shuffled.length];
      }
      long window = (long) BATCHES_PER_WINDOW * batchSize;
      for (long start = 0; start < order.length; start += window) {
        sortByLength(order, (int) start, (int) Math.min(order.length, start + window));
      }
      epoch = new Epoch(number, order, SegmentOrder.shuffled(numBatches, random));
      latest = epoch;
    }
    return epoch;
  }

  /** Longest first; equal lengths stay in their shuffled order. */
  private void sortByLength(int[] order, int start, int end) {
    Integer[] part = new Integer[end - start];
    Arrays.setAll(part, i -> order[start + i]);
    Arrays.sort(part, Comparator.comparingInt((Integer row) -> rows.length(row)).reversed());
    for (int i = 0; i < part.length; i++) {
      order[start + i] = part[i];
    }
  }
}
