package org.lathe.cli.workflow;

import com.google.common.base.Preconditions;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.SearchResult.NodeScore;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.util.Bits;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.lathe.training.datastore.NeighborSearch;

/** Search in a {@link KeyGraph}, query after query; each thread has a searcher of its own. */
final class GraphSearch implements NeighborSearch {
  /** Queries that a thread takes at a time. */
  private static final int QUERIES_PER_TASK = 32;

  private final KeyGraph graph;
  private final int numNeighbors;
  private final int breadth;
  private final int numThreads;
  private final ExecutorService executor;

  /**
   * @param graph not closed with this
   * @param neighbors wanted; at most numKeys are given
   * @param breadth candidates that a search follows at once, at least as many as neighbours
   * @param threads 0 = all cores
   */
  GraphSearch(KeyGraph graph, int neighbors, int breadth, int threads) {
    Preconditions.checkArgument(neighbors >= 1, "neighbors (%s) must be at least 1", neighbors);
    Preconditions.checkArgument(
        breadth >= neighbors, "breadth (%s) must be at least neighbors (%s)", breadth, neighbors);
    this.graph = graph;
    this.numNeighbors = Math.min(neighbors, graph.values().size());
    this.breadth = breadth;
    this.numThreads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    this.executor =
        Executors.newFixedThreadPool(
            numThreads,
            new ThreadFactoryBuilder().setNameFormat("graph-search-%d").setDaemon(true).build());
  }

  @Override
  public int width() {
    return graph.values().dimension();
  }

  @Override
  public int numKeys() {
    return graph.values().size();
  }

  @Override
  public Neighbors search(float[] queries) {
    int numQueries = queries.length / width();
    float[] scores = new float[numQueries * numNeighbors];
    int[] items = new int[scores.length];
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    AtomicInteger next = new AtomicInteger();
    CompletableFuture<?>[] running = new CompletableFuture<?>[numThreads];
    Arrays.setAll(
        running,
        i ->
            CompletableFuture.runAsync(
                () -> searchParts(queries, numQueries, next, scores, items), executor));
    CompletableFuture.allOf(running).join();
    return new Neighbors(numNeighbors, scores, items);
  }

  private void searchParts(
      float[] queries, int numQueries, AtomicInteger next, float[] scores, int[] items) {
    try (GraphSearcher searcher = new GraphSearcher(graph.graph())) {
      for (int from = next.getAndAdd(QUERIES_PER_TASK);
          from < numQueries;
          from = next.getAndAdd(QUERIES_PER_TASK)) {
        for (int q = from; q < Math.min(numQueries, from + QUERIES_PER_TASK); q++) {
          search(searcher, queries, q, scores, items);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void search(GraphSearcher searcher, float[] queries, int q, float[] scores, int[] items) {
    float[] numbers = Arrays.copyOfRange(queries, q * width(), (q + 1) * width());
    VectorFloat<?> query = KeyGraph.vectors().createFloatVector(numbers);
    double half = 0;
    for (float number : numbers) {
      half += (double) number * number / 2;
    }
    NodeScore[] found =
        searcher
            .search(
                DefaultSearchScoreProvider.exact(query, KeyGraph.SIMILARITY, graph.values()),
                numNeighbors,
                breadth,
                0,
                0,
                Bits.ALL)
            .getNodes();
    for (int i = 0; i < found.length; i++) {
      // jvector's score is 1 / (1 + |q - k|^2)
      scores[q * numNeighbors + i] = (float) (half - (1 / (double) found[i].score - 1) / 2);
      items[q * numNeighbors + i] = found[i].node;
    }
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
