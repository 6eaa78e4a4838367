package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.graphs.retrieval.KeyDecoder;
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
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * Search in an {@link IvfIndex} for many queries at once, list after list: all queries that probe a
 * list meet its keys in one matrix product, so that a key is read once a batch and not once a
 * query. The best are kept outside the graph, because TensorFlow's top-k on a CPU takes several
 * times as long as the product; nearly all scores end at one comparison there. {@link IvfGraph} is
 * the same search as one graph.
 */
public final class IvfSearch implements NeighborSearch {
  /**
   * Every list is read and packed once a run, so that a longer text is searched faster up to here:
   * with more, a list of a million-key index would be read several times a run anyway.
   */
  private static final int MAX_QUERIES_PER_RUN = 32_768;

  /** Bounds what is kept of a run: two places a neighbour, 64 MiB. */
  private static final int NEIGHBORS_PER_RUN = 1 << 22;

  /** Scores of one product: 512 KiB stay in a core's second cache. */
  private static final int SCORES_PER_PRODUCT = 1 << 17;

  /** Fewer rows would waste the reading of a long list. */
  private static final int MIN_ROWS_PER_PRODUCT = 32;

  /** Queries whose neighbours a thread sorts before it takes the next ones. */
  private static final int QUERIES_PER_SORT = 64;

  /** Queries share one: two threads seldom offer to one query, and then for microseconds. */
  private static final int NUM_LOCKS = 1024;

  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TFloat32> queriesQD;
  private final Placeholder<TInt32> rowsR;
  private final Placeholder<? extends TNumber> codesKW;
  private final Placeholder<TFloat32> centroidD;
  private final Placeholder<TFloat32> biasK;
  private final Placeholder<TFloat32> centroidsLD;
  private final Operand<TFloat32> scoresRK;
  private final Operand<TFloat32> scoresRL;
  private final List<Tensor> codes = new ArrayList<>();
  private final List<Tensor> centroids = new ArrayList<>();
  private final List<Tensor> biases = new ArrayList<>();
  private final Tensor allCentroids;
  private final IvfIndex index;
  private final int numKeys;
  private final int numProbes;
  private final int numNeighbors;
  private final int numThreads;
  private final int queriesPerRun;
  private final ExecutorService executor;
  private final Object[] locks = new Object[NUM_LOCKS];

  /**
   * @param numProbes lists read for each query; more than there are means all
   * @param neighbors wanted; at most numKeys are given
   * @param threads 0 = all cores
   */
  public IvfSearch(IvfIndex index, int numProbes, int neighbors, int threads) {
    Preconditions.checkArgument(numProbes >= 1, "numProbes (%s) must be at least 1", numProbes);
    Preconditions.checkArgument(neighbors >= 1, "neighbors (%s) must be at least 1", neighbors);
    this.index = index;
    this.numKeys = index.numKeys();
    this.numProbes = Math.min(numProbes, index.numLists());
    this.numNeighbors = Math.min(neighbors, numKeys);
    this.numThreads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    int kept = Math.max(1, Math.max(numNeighbors, this.numProbes));
    this.queriesPerRun = Math.max(1, Math.min(MAX_QUERIES_PER_RUN, NEIGHBORS_PER_RUN / kept));
    this.executor =
        Executors.newFixedThreadPool(
            numThreads,
            new ThreadFactoryBuilder().setNameFormat("ivf-search-%d").setDaemon(true).build());
    Arrays.setAll(locks, i -> new Object());
    int width = index.width();
    boolean squaredDistance = index.metric() == Metric.SQUARED_L2;
    boolean residual = index.code().encoding().isResidual();
    Ops tf = Ops.create(graph);
    queriesQD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    rowsR = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1)));
    codesKW = tf.placeholder(KeyDecoder.codeType(index.code().encoding()));
    centroidD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(width)));
    biasK = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1)));
    centroidsLD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    Operand<TFloat32> queriesRD = tf.gather(queriesQD, rowsR, tf.constant(0));
    Operand<TFloat32> decodedKD = IvfTensors.decoder(tf, index.code()).decode(tf, codesKW);
    Operand<TFloat32> keysKD = residual ? tf.math.add(decodedKD, centroidD) : decodedKD;
    Operand<TFloat32> productsRK = tf.linalg.matMul(queriesRD, keysKD, MatMul.transposeB(true));
    scoresRK = squaredDistance ? tf.math.add(productsRK, biasK) : productsRK;
    scoresRL = IvfGraph.centroidScores(tf, queriesRD, centroidsLD, squaredDistance);
    session = Sessions.openForCallers(graph, threads);
    for (int list = 0; list < index.numLists(); list++) {
      codes.add(IvfTensors.codes(index.code(), index.codes()[list]));
      biases.add(floats(index.bias(list), Shape.of(index.items()[list].length)));
      float[] centroid = Arrays.copyOfRange(index.centroids(), list * width, (list + 1) * width);
      centroids.add(floats(centroid, Shape.of(width)));
    }
    allCentroids = floats(index.centroids(), Shape.of(index.numLists(), width));
  }

  private static Tensor floats(float[] values, Shape shape) {
    return TFloat32.tensorOf(shape, DataBuffers.of(values, true, false));
  }

  @Override
  public int width() {
    return index.width();
  }

  @Override
  public int numKeys() {
    return numKeys;
  }

  @Override
  public int queriesAtOnce() {
    return queriesPerRun;
  }

  @Override
  public Neighbors search(float[] queries) {
    int width = index.width();
    Preconditions.checkArgument(
        queries.length % width == 0,
        "%s values are not queries of width %s",
        queries.length,
        width);
    int numQueries = queries.length / width;
    float[] scores = new float[numQueries * numNeighbors];
    int[] items = new int[numQueries * numNeighbors];
    for (int begin = 0; begin < numQueries && numNeighbors > 0; begin += queriesPerRun) {
      int size = Math.min(queriesPerRun, numQueries - begin);
      float[] some = Arrays.copyOfRange(queries, begin * width, (begin + size) * width);
      try (Tensor fed = floats(some, Shape.of(size, width))) {
        int[] probes = nearestLists(fed, size);
        BestNeighbors best = searchLists(fed, size, probes);
        sort(best, size, scores, items, begin * numNeighbors);
      }
    }
    return new Neighbors(numNeighbors, scores, items);
  }

  /** The lists to read, (Q, P). */
  private int[] nearestLists(Tensor queries, int numQueries) {
    int numLists = index.numLists();
    int[] rows = new int[numQueries];
    int[] lists = new int[numLists];
    Arrays.setAll(rows, i -> i);
    Arrays.setAll(lists, i -> i);
    List<Block> blocks = new ArrayList<>();
    addBlocks(blocks, 0, 0, numQueries, numLists);
    BestNeighbors nearest = new BestNeighbors(numQueries, numProbes);
    scoreInParallel(
        blocks,
        rows,
        nearest,
        block -> lists,
        (block, fedRows) ->
            session
                .runner()
                .feed(queriesQD, queries)
                .feed(rowsR, fedRows)
                .feed(centroidsLD, allCentroids)
                .fetch(scoresRL)
                .run());
    int[] probes = new int[numQueries * numProbes];
    sort(nearest, numQueries, new float[probes.length], probes, 0);
    return probes;
  }

  private BestNeighbors searchLists(Tensor queries, int numQueries, int[] probes) {
    int[] begins = new int[index.numLists() + 1];
    for (int list : probes) {
      begins[list + 1]++;
    }
    Arrays.parallelPrefix(begins, Integer::sum);
    int[] filled = begins.clone();
    int[] rows = new int[probes.length];
    for (int i = 0; i < probes.length; i++) {
      rows[filled[probes[i]]++] = i / numProbes;
    }
    List<Block> blocks = new ArrayList<>();
    for (int list = 0; list < index.numLists(); list++) {
      addBlocks(blocks, list, begins[list], begins[list + 1], index.items()[list].length);
    }
    BestNeighbors best = new BestNeighbors(numQueries, numNeighbors);
    scoreInParallel(
        blocks,
        rows,
        best,
        block -> index.items()[block.list()],
        (block, fedRows) ->
            session
                .runner()
                .feed(queriesQD, queries)
                .feed(rowsR, fedRows)
                .feed(codesKW, codes.get(block.list()))
                .feed(centroidD, centroids.get(block.list()))
                .feed(biasK, biases.get(block.list()))
                .fetch(scoresRK)
                .run());
    return best;
  }

  /** Rows [begin, end) of the sorted pairs of query and list. */
  private record Block(int list, int begin, int end, int numScores) {}

  private static void addBlocks(List<Block> blocks, int list, int begin, int end, int numColumns) {
    if (numColumns == 0) {
      return;
    }
    int most = Math.max(MIN_ROWS_PER_PRODUCT, SCORES_PER_PRODUCT / numColumns);
    for (int from = begin; from < end; from += most) {
      int to = Math.min(end, from + most);
      blocks.add(new Block(list, from, to, (to - from) * numColumns));
    }
  }

  private static Tensor rows(int[] rows, Block block) {
    int[] some = Arrays.copyOfRange(rows, block.begin(), block.end());
    return TInt32.tensorOf(Shape.of(some.length), DataBuffers.of(some, true, false));
  }

  private interface Product {
    Result run(Block block, Tensor fedRows);
  }

  /** Each thread takes the next block; the best do not mind the order. */
  private void scoreInParallel(
      List<Block> blocks,
      int[] rows,
      BestNeighbors best,
      Function<Block, int[]> items,
      Product product) {
    int bufferSize = blocks.stream().mapToInt(Block::numScores).max().orElse(0);
    inParallel(
        blocks.size(),
        () -> {
          float[] buffer = new float[bufferSize];
          return i -> {
            Block block = blocks.get(i);
            try (Tensor fedRows = rows(rows, block);
                Result result = product.run(block, fedRows)) {
              read(result, buffer, block.numScores());
            }
            offer(buffer, rows, block, items.apply(block), best);
          };
        });
  }

  private static void read(Result result, float[] buffer, int numScores) {
    ((TFloat32) result.get(0)).asRawTensor().data().asFloats().read(buffer, 0, numScores);
  }

  private void offer(float[] buffer, int[] rows, Block block, int[] items, BestNeighbors best) {
    for (int r = block.begin(); r < block.end(); r++) {
      int from = (r - block.begin()) * items.length;
      synchronized (locks[rows[r] % NUM_LOCKS]) {
        best.offerAll(rows[r], buffer, from, items, 0, items.length);
      }
    }
  }

  private void sort(BestNeighbors best, int numQueries, float[] scores, int[] items, int at) {
    inParallel(
        (numQueries + QUERIES_PER_SORT - 1) / QUERIES_PER_SORT,
        () ->
            i -> {
              int from = i * QUERIES_PER_SORT;
              int to = Math.min(numQueries, from + QUERIES_PER_SORT);
              best.sortInto(from, to, scores, items, at);
            });
  }

  /**
   * Runs tasks 0 .. numTasks - 1; each thread takes the next one.
   *
   * @param worker asked once by each thread
   */
  private void inParallel(int numTasks, Supplier<IntConsumer> worker) {
    AtomicInteger next = new AtomicInteger();
    Runnable work =
        () -> {
          IntConsumer tasks = worker.get();
          for (int i = next.getAndIncrement(); i < numTasks; i = next.getAndIncrement()) {
            tasks.accept(i);
          }
        };
    CompletableFuture<?>[] running = new CompletableFuture<?>[Math.min(numThreads, numTasks)];
    Arrays.setAll(running, i -> CompletableFuture.runAsync(work, executor));
    // all of them, even when one fails: they use tensors that the caller closes
    CompletableFuture.allOf(running).join();
  }

  @Override
  public void close() {
    executor.shutdown();
    codes.forEach(Tensor::close);
    centroids.forEach(Tensor::close);
    biases.forEach(Tensor::close);
    allCentroids.close();
    session.close();
    graph.close();
  }
}
