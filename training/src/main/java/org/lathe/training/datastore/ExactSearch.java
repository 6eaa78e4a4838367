package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.training.loop.Sessions;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.op.nn.TopK;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Exact nearest neighbours by blocked matrix products and top-k in TensorFlow, on whatever device
 * it runs. Keys stay in native memory, one tensor a block.
 */
public final class ExactSearch implements NeighborSearch {
  /** Keys in one product: with 512 queries a block of scores takes 32 MiB. */
  private static final int KEYS_PER_BLOCK = 16_384;

  private static final int QUERIES_PER_RUN = 512;

  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TFloat32> queriesQD;
  private final Placeholder<TFloat32> keysKD;
  private final Placeholder<TFloat32> biasK;
  private final TopK<TFloat32, TInt32> top;
  private final List<Tensor> keyBlocks = new ArrayList<>();
  private final List<Tensor> biasBlocks = new ArrayList<>();
  private final int width;
  private final int numKeys;
  private final int numNeighbors;

  /**
   * @param keys row-major (numKeys, width)
   * @param neighbors wanted; at most numKeys are given
   * @param threads 0 = all cores
   */
  public ExactSearch(float[] keys, int width, int neighbors, Metric metric, int threads) {
    Preconditions.checkArgument(
        keys.length > 0 && keys.length % width == 0,
        "%s values are not rows of width %s",
        keys.length,
        width);
    this.width = width;
    this.numKeys = keys.length / width;
    this.numNeighbors = Math.min(neighbors, numKeys);
    Ops tf = Ops.create(graph);
    queriesQD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    keysKD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    biasK = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1)));
    Operand<TFloat32> scores =
        tf.math.add(tf.linalg.matMul(queriesQD, keysKD, MatMul.transposeB(true)), biasK);
    Operand<TInt32> wanted =
        tf.math.minimum(
            tf.constant(numNeighbors), tf.gather(tf.shape(keysKD), tf.constant(0), tf.constant(0)));
    top = tf.nn.topK(scores, wanted, TInt32.class);
    session = Sessions.open(graph, threads);
    for (int begin = 0; begin < numKeys; begin += KEYS_PER_BLOCK) {
      int size = Math.min(KEYS_PER_BLOCK, numKeys - begin);
      float[] block = Arrays.copyOfRange(keys, begin * width, (begin + size) * width);
      keyBlocks.add(TFloat32.tensorOf(Shape.of(size, width), DataBuffers.of(block, true, false)));
      biasBlocks.add(
          TFloat32.tensorOf(
              Shape.of(size), DataBuffers.of(bias(block, width, metric), true, false)));
    }
  }

  private static float[] bias(float[] keys, int width, Metric metric) {
    float[] bias = new float[keys.length / width];
    if (metric == Metric.SQUARED_L2) {
      for (int i = 0; i < bias.length; i++) {
        double norm = 0;
        for (int d = 0; d < width; d++) {
          norm += (double) keys[i * width + d] * keys[i * width + d];
        }
        bias[i] = (float) (-norm / 2);
      }
    }
    return bias;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public int numKeys() {
    return numKeys;
  }

  @Override
  public Neighbors search(float[] queries) {
    int numQueries = queries.length / width;
    float[] scores = new float[numQueries * numNeighbors];
    int[] items = new int[numQueries * numNeighbors];
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    for (int begin = 0; begin < numQueries; begin += QUERIES_PER_RUN) {
      int size = Math.min(QUERIES_PER_RUN, numQueries - begin);
      float[] some = Arrays.copyOfRange(queries, begin * width, (begin + size) * width);
      try (Tensor fed =
          TFloat32.tensorOf(Shape.of(size, width), DataBuffers.of(some, true, false))) {
        for (int block = 0; block < keyBlocks.size(); block++) {
          searchBlock(fed, block, begin, size, scores, items);
        }
      }
    }
    return new Neighbors(numNeighbors, scores, items);
  }

  private void searchBlock(
      Tensor queries, int block, int firstQuery, int numQueries, float[] scores, int[] items) {
    try (Result result =
        session
            .runner()
            .feed(queriesQD, queries)
            .feed(keysKD, keyBlocks.get(block))
            .feed(biasK, biasBlocks.get(block))
            .fetch(top.values())
            .fetch(top.indices())
            .run()) {
      int found = (int) result.get(0).shape().get(1);
      float[] blockScores = new float[numQueries * found];
      int[] blockItems = new int[numQueries * found];
      ((TFloat32) result.get(0)).asRawTensor().data().asFloats().read(blockScores);
      ((TInt32) result.get(1)).asRawTensor().data().asInts().read(blockItems);
      for (int q = 0; q < numQueries; q++) {
        merge(
            scores,
            items,
            (firstQuery + q) * numNeighbors,
            blockScores,
            blockItems,
            q * found,
            found,
            block * KEYS_PER_BLOCK);
      }
    }
  }

  /** Keeps the best of two sorted lists; at equal scores the earlier item stays first. */
  private void merge(
      float[] scores,
      int[] items,
      int at,
      float[] newScores,
      int[] newItems,
      int newAt,
      int numNew,
      int firstItem) {
    float[] oldScores = Arrays.copyOfRange(scores, at, at + numNeighbors);
    int[] oldItems = Arrays.copyOfRange(items, at, at + numNeighbors);
    int o = 0;
    int n = 0;
    for (int i = 0; i < numNeighbors; i++) {
      if (n >= numNew || oldScores[o] >= newScores[newAt + n]) {
        scores[at + i] = oldScores[o];
        items[at + i] = oldItems[o++];
      } else {
        scores[at + i] = newScores[newAt + n];
        items[at + i] = newItems[newAt + n++] + firstItem;
      }
    }
  }

  @Override
  public void close() {
    keyBlocks.forEach(Tensor::close);
    biasBlocks.forEach(Tensor::close);
    session.close();
    graph.close();
  }
}
