package org.lathe.training.similarity;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.lathe.training.data.ProgressListener;

/**
 * Finds the documents most similar to each document, itself left out. Similarity of document D to
 * query Q, with counts q of a token in Q and f in D, N documents of which n hold the token, length
 * |D| and mean length L:
 *
 * <pre>
 *   sum over tokens of Q:  q * ln(1 + (N - n + 1/2) / (n + 1/2)) * f / (f + k1 (1 - b + b |D| / L))
 * </pre>
 *
 * <p>This is BM25 as Lucene writes it (without the constant factor k1 + 1). Terms are token ids, so
 * that no analyzer and no language comes in; the logarithm takes care of frequent words. Lucene
 * keeps lengths above 39 with four significant bits, which does not matter where all are equal. N,
 * n and L are those of all shards together, and equal scores fall to the smaller number, so that
 * shards and threads do not change the result.
 */
final class SimilaritySearch {
  private static final String PROGRESS = "finding similar segments";

  /**
   * The most similar other documents of one document, best first.
   *
   * @param scores of the same documents
   */
  record Hits(int[] documents, float[] scores) {
    static final Hits NONE = new Hits(new int[0], new float[0]);

    /** The best of two lists of different documents; those of this one come first where equal. */
    Hits merge(Hits other, int limit) {
      int length = Math.min(limit, documents.length + other.documents.length);
      Hits merged = new Hits(new int[length], new float[length]);
      for (int i = 0, mine = 0, others = 0; i < length; i++) {
        boolean takesMine =
            mine < documents.length
                && (others == other.documents.length || scores[mine] >= other.scores[others]);
        Hits source = takesMine ? this : other;
        int index = takesMine ? mine++ : others++;
        merged.documents[i] = source.documents[index];
        merged.scores[i] = source.scores[index];
      }
      return merged;
    }
  }

  private final TokenDocuments documents;
  private final SimilarityConfig config;
  private final TermCounts counts;
  private final ProgressListener progress;

  private SimilaritySearch(
      TokenDocuments documents, SimilarityConfig config, ProgressListener progress) {
    this.documents = documents;
    this.config = config;
    this.progress = progress;
    counts = new TermCounts(documents);
  }

  /**
   * Hits of every document.
   *
   * @param threads that search; at least 1
   */
  static List<Hits> all(
      TokenDocuments documents, SimilarityConfig config, int threads, ProgressListener progress) {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      return new SimilaritySearch(documents, config, progress).all(executor, threads);
    } catch (IOException e) {
      throw new UncheckedIOException("the index in memory failed", e);
    } finally {
      executor.shutdownNow();
    }
  }

  private List<Hits> all(ExecutorService executor, int threads) throws IOException {
    Hits[] hits = new Hits[documents.size()];
    Arrays.fill(hits, Hits.NONE);
    int shards = Math.min(config.shards(), Math.max(1, documents.size()));
    for (int shard = 0; shard < shards; shard++) {
      int from = (int) ((long) documents.size() * shard / shards);
      int to = (int) ((long) documents.size() * (shard + 1) / shards);
      long before = (long) documents.size() * shard;
      try (ByteBuffersDirectory directory = new ByteBuffersDirectory();
          SimilarityIndex index =
              SimilarityIndex.build(directory, documents, from, to, config, counts)) {
        AtomicInteger next = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        inParallel(
            executor,
            threads,
            () -> {
              for (int i = next.getAndIncrement();
                  i < hits.length && !Thread.interrupted();
                  i = next.getAndIncrement()) {
                // every row belongs to one thread
                hits[i] = hits[i].merge(index.search(i, documents.tokens(i)), config.hits());
                report(before + done.incrementAndGet(), (long) hits.length * shards);
              }
            });
      }
    }
    return List.of(hits);
  }

  private synchronized void report(long done, long total) {
    progress.progress(PROGRESS, done, total);
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void inParallel(ExecutorService executor, int threads, Work work)
      throws IOException {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      futures.add(
          executor.submit(
              () -> {
                work.run();
                return null;
              }));
    }
    for (Future<?> future : futures) {
      try {
        Uninterruptibles.getUninterruptibly(future);
      } catch (ExecutionException e) {
        throw new IOException("a search failed", e.getCause());
      }
    }
  }
}
