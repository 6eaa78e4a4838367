package org.lathe.pruning.importance;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.slimming.EncoderShapes;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.RowTargets;
import org.tensorflow.ndarray.Shape;

/** An encoder of two layers with random weights, and labelled batches for it. */
final class TinyTask {
  static final int NUM_LAYERS = 2;
  static final int NUM_HEADS = 2;
  static final int NUM_UNITS = 6;
  static final int HIDDEN_SIZE = 8;
  static final int LENGTH = 5;
  static final EncoderConfig ENCODER =
      EncoderConfig.bert(12, HIDDEN_SIZE, NUM_LAYERS, NUM_HEADS, NUM_UNITS, LENGTH);
  static final HeadConfig HEAD = HeadConfig.classifier(ENCODER, 3);
  static final TransformerConfig WIDE = TransformerConfig.uniform(30, 16, 3, 4, 24, 8);

  /** Of {@link #WIDE}; the first head costs most. */
  static final LatencyTable TABLE =
      new LatencyTable(
          1,
          8,
          16,
          List.of(0.0, 2.0, 2.5, 3.5, 4.0),
          List.of(0, 8, 24),
          List.of(0.0, 1.5, 5.0),
          3.0,
          0.4);

  private TinyTask() {}

  static Weights randomWeights(HeadConfig head, Random random) {
    Map<String, Shape> shapes = new LinkedHashMap<>(EncoderShapes.of(ENCODER, Encoder.PREFIX));
    shapes.putAll(EncoderShapes.ofHead(ENCODER, head, head.kind().prefix()));
    Weights weights = new Weights();
    shapes.forEach(
        (name, shape) -> {
          float[] values = new float[(int) shape.size()];
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((name.endsWith("gain") ? 1 : 0) + 0.4 * random.nextGaussian());
          }
          weights.put(name, shape, values);
        });
    return weights;
  }

  /** Rows of 2 to {@link #LENGTH} tokens with classes, numbers or spans, as the head wants them. */
  static ExampleBatch batch(HeadConfig head, int batchSize, Random random) {
    int[] ids = new int[batchSize * LENGTH];
    int[] present = new int[ids.length];
    int[] types = new int[ids.length];
    int[] starts = new int[batchSize];
    int[] ends = new int[batchSize];
    for (int row = 0; row < batchSize; row++) {
      int own = 2 + random.nextInt(LENGTH - 1);
      for (int i = row * LENGTH; i < row * LENGTH + own; i++) {
        ids[i] = 1 + random.nextInt(11);
        present[i] = 1;
        types[i] = random.nextInt(2);
      }
      starts[row] = random.nextInt(own);
      ends[row] = random.nextInt(own);
    }
    float[] numbers = new float[batchSize];
    int[] classes = random.ints(batchSize, 0, 3).toArray();
    IntStream.range(0, batchSize).forEach(row -> numbers[row] = random.nextFloat());
    RowTargets targets =
        !head.kind().classifies()
            ? RowTargets.ofSpans(starts, ends)
            : head.numClasses() == 1
                ? RowTargets.ofNumbers(numbers)
                : RowTargets.ofClasses(classes);
    return new ExampleBatch(
        batchSize,
        LENGTH,
        batchSize,
        IntStream.range(0, batchSize).toArray(),
        ids,
        present,
        types,
        targets);
  }

  /** One row of a classification batch as a batch of its own. */
  static ExampleBatch row(ExampleBatch batch, int row) {
    return new ExampleBatch(
        1,
        LENGTH,
        1,
        new int[] {row},
        cut(batch.ids(), row),
        cut(batch.mask(), row),
        cut(batch.tokenTypes(), row),
        RowTargets.ofClasses(new int[] {batch.targets().classes()[row]}));
  }

  private static int[] cut(int[] values, int row) {
    return Arrays.copyOfRange(values, row * LENGTH, (row + 1) * LENGTH);
  }
}
