package org.lathe.cli.workflow;

import com.google.common.util.concurrent.Uninterruptibles;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.ListRandomAccessVectorValues;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.data.ProgressListener;

/**
 * A proximity graph over keys by jvector, with an HNSW-like hierarchy over a Vamana graph: what an
 * inverted file is measured against. Keys stay as they are, distances are exact and squared.
 *
 * @param values the keys, by item
 * @param graph between them
 * @param numBytes of graph and keys
 */
record KeyGraph(RandomAccessVectorValues values, ImmutableGraphIndex graph, long numBytes)
    implements AutoCloseable {
  static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  /** As jvector's tutorial has it, like the others; hierarchy and refinement are its defaults. */
  static final int MAX_DEGREE = 32;

  static final int BUILD_BREADTH = 100;
  private static final float NEIGHBOR_OVERFLOW = 1.2f;
  private static final float ALPHA = 1.2f;

  private static final int PROGRESS_MS = 500;

  /** jvector's own name of how it computes: without vector instructions below Java 20. */
  static String arithmetic() {
    return VectorizationProvider.getInstance().getClass().getSimpleName();
  }

  static VectorTypeSupport vectors() {
    return VectorizationProvider.getInstance().getVectorTypeSupport();
  }

  /**
   * Adds key after key, several at once, and cuts what is too much.
   *
   * @param keys row-major (N, width)
   * @param threads 0 = all cores
   */
  static KeyGraph build(float[] keys, int width, int threads, ProgressListener progress) {
    List<VectorFloat<?>> rows = new ArrayList<>();
    for (int begin = 0; begin < keys.length; begin += width) {
      rows.add(vectors().createFloatVector(Arrays.copyOfRange(keys, begin, begin + width)));
    }
    RandomAccessVectorValues values = new ListRandomAccessVectorValues(rows, width);
    ForkJoinPool pool =
        new ForkJoinPool(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    try (GraphIndexBuilder builder =
        GraphIndexBuilder.builder(
                BuildScoreProvider.randomAccessScoreProvider(values, SIMILARITY), width, MAX_DEGREE)
            .withBeamWidth(BUILD_BREADTH)
            .withNeighborOverflow(NEIGHBOR_OVERFLOW)
            .withAlpha(ALPHA)
            .withSimdExecutor(pool)
            .withParallelExecutor(pool)
            .build()) {
      addAll(builder, rows, pool, progress);
      builder.cleanup();
      long numBytes = builder.getGraph().ramBytesUsed() + (long) keys.length * Float.BYTES;
      return new KeyGraph(values, builder.getGraph(), numBytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      pool.shutdown();
    }
  }

  private static void addAll(
      GraphIndexBuilder builder,
      List<VectorFloat<?>> rows,
      ForkJoinPool pool,
      ProgressListener progress) {
    AtomicInteger numAdded = new AtomicInteger();
    ForkJoinTask<?> adding =
        pool.submit(
            () ->
                IntStream.range(0, rows.size())
                    .parallel()
                    .forEach(
                        item -> {
                          builder.addGraphNode(item, rows.get(item));
                          numAdded.incrementAndGet();
                        }));
    boolean done = false;
    while (!done) {
      try {
        Uninterruptibles.getUninterruptibly(adding, PROGRESS_MS, TimeUnit.MILLISECONDS);
        done = true;
      } catch (TimeoutException e) {
        // goes on
      } catch (ExecutionException e) {
        throw new FailedException(
            "jvector built no graph over " + rows.size() + " keys; leave out --with-graph", e);
      }
      progress.progress("building the graph", numAdded.get(), rows.size());
    }
  }

  @Override
  public void close() {
    try {
      graph.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
