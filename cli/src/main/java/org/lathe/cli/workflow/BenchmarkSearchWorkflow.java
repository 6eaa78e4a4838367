package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.lathe.export.latency.HardwareFile;
import org.lathe.export.latency.Samples;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfSearch;
import org.lathe.training.datastore.IvfSettings;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.datastore.NeighborSearch.Neighbors;

/**
 * {@code lathe benchmark search}: builds an inverted file, tells its recall against the exact
 * search, and times both in turns on the same queries. {@code docs/results/faiss_ivf.py} does the
 * same with FAISS on the files that {@code --write} leaves.
 */
final class BenchmarkSearchWorkflow {
  /** Queries whose true neighbours are found; exact search is timed on these too. */
  private static final int RECALL_QUERIES = 1024;

  private static final ImmutableList<Integer> PROBES =
      ImmutableList.of(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256);

  private static final double NANOS_PER_MS = 1e6;
  private static final double MS_PER_SECOND = 1e3;

  private BenchmarkSearchWorkflow() {}

  static Outcome run(BenchmarkSearchRequest request, RunContext context) {
    SyntheticKeys synthetic = new SyntheticKeys(request.width(), request.seed());
    float[] keys =
        request.keysFile() == null
            ? synthetic.draw(request.numKeys(), request.seed() + 1)
            : RawFloatFile.read(context.storage(), request.keysFile(), request.width());
    float[] queries =
        request.queriesFile() == null
            ? synthetic.draw(request.numQueries(), request.seed() + 2)
            : RawFloatFile.read(context.storage(), request.queriesFile(), request.width());
    int numKeys = keys.length / request.width();
    if (context.dryRun()) {
      return Outcome.done(Map.of(), List.of("would search " + numKeys + " keys"));
    }
    Path directory = request.writeTo();
    if (directory != null) {
      RawFloatFile.write(context.storage(), directory.resolve("keys.bin"), keys);
      RawFloatFile.write(context.storage(), directory.resolve("queries.bin"), queries);
    }
    int numLists =
        request.numLists() > 0 ? request.numLists() : IvfSettings.defaultNumLists(numKeys);
    IvfSettings defaults = IvfSettings.of(numKeys, request.seed());
    IvfSettings settings =
        new IvfSettings(
            numLists,
            defaults.numIterations(),
            defaults.samplesPerList(),
            request.encoding(),
            request.numSubvectors(),
            request.seed());
    try (Progress progress = new Progress(context.console())) {
      long start = System.nanoTime();
      IvfIndex index =
          IvfIndex.build(keys, request.width(), Metric.SQUARED_L2, settings, request.threads());
      double buildMs = (System.nanoTime() - start) / NANOS_PER_MS;
      return measure(request, context, progress, keys, queries, index, buildMs);
    }
  }

  private static Outcome measure(
      BenchmarkSearchRequest request,
      RunContext context,
      Progress progress,
      float[] keys,
      float[] queries,
      IvfIndex index,
      double buildMs) {
    float[] some =
        Arrays.copyOf(queries, Math.min(queries.length, RECALL_QUERIES * request.width()));
    try (ExactSearch exact =
        new ExactSearch(
            keys, request.width(), request.neighbors(), Metric.SQUARED_L2, request.threads())) {
      Neighbors expected = exact.search(some);
      List<Integer> candidates =
          request.numProbes() > 0 ? ImmutableList.of(request.numProbes()) : PROBES;
      for (int probes : candidates) {
        try (IvfSearch search =
            new IvfSearch(index, probes, request.neighbors(), request.threads())) {
          double recall = recall(search.search(some), expected);
          progress.progress("choosing probes", probes, candidates.get(candidates.size() - 1));
          if (recall < request.recall() && request.numProbes() == 0) {
            continue;
          }
          double[] ms = new double[request.repeats()];
          double[] exactMs = new double[request.repeats()];
          search.search(queries);
          for (int i = 0; i < ms.length; i++) {
            ms[i] = timeMs(search, queries);
            exactMs[i] = timeMs(exact, some);
          }
          double rate = rate(queries, request, new Samples(ms));
          double exactRate = rate(some, request, new Samples(exactMs));
          return outcome(request, context, index, probes, recall, rate, exactRate, buildMs);
        }
      }
    }
    throw new FailedException(
        "no number of probes up to 256 reaches a recall of "
            + request.recall()
            + "; name fewer lists or another encoding");
  }

  private static double timeMs(NeighborSearch search, float[] queries) {
    long start = System.nanoTime();
    search.search(queries);
    return (System.nanoTime() - start) / NANOS_PER_MS;
  }

  private static double rate(float[] queries, BenchmarkSearchRequest request, Samples ms) {
    int numQueries = queries.length / request.width();
    return numQueries / ms.median() * MS_PER_SECOND;
  }

  /** Found part of the true neighbours. */
  private static double recall(Neighbors found, Neighbors expected) {
    int number = expected.numNeighbors();
    int hits = 0;
    for (int begin = 0; begin < expected.items().length; begin += number) {
      Set<Integer> nearest = new HashSet<>();
      for (int i = begin; i < begin + number; i++) {
        nearest.add(expected.items()[i]);
      }
      for (int i = begin; i < begin + number; i++) {
        hits += nearest.contains(found.items()[i]) ? 1 : 0;
      }
    }
    return (double) hits / expected.items().length;
  }

  private static Outcome outcome(
      BenchmarkSearchRequest request,
      RunContext context,
      IvfIndex index,
      int probes,
      double recall,
      double rate,
      double exactRate,
      double buildMs) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("numKeys", index.numKeys());
    facts.put("width", request.width());
    facts.put("neighbors", request.neighbors());
    facts.put("encoding", request.encoding().name());
    facts.put("numLists", index.numLists());
    facts.put("numProbes", probes);
    facts.put("recall", recall);
    facts.put("queriesPerSecond", rate);
    facts.put("exactQueriesPerSecond", exactRate);
    facts.put("ratio", rate / exactRate);
    facts.put("buildMs", buildMs);
    facts.put("indexBytes", index.numBytes());
    facts.put("hardware", HardwareFile.describe(context.storage(), request.threads()));
    return Outcome.done(
        facts,
        ImmutableList.of(
            String.format(
                Locale.ROOT,
                "%,d keys, %d of %d lists: recall %.4f at %d, %,.0f queries a second;"
                    + " exact %,.0f, ratio %.1f",
                index.numKeys(),
                probes,
                index.numLists(),
                recall,
                request.neighbors(),
                rate,
                exactRate,
                rate / exactRate),
            String.format(
                Locale.ROOT, "built in %.1f s, %,d bytes", buildMs / 1e3, index.numBytes())));
  }
}
