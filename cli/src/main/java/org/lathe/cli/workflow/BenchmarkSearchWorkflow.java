package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
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
 * {@code lathe benchmark search}: builds an inverted file and, where asked, a graph over the same
 * keys; gives each the least effort that reaches the recall, and times them in turns with the exact
 * search. {@code docs/results/faiss_ivf.py} does the same with FAISS on the files that {@code
 * --write} leaves.
 */
final class BenchmarkSearchWorkflow {
  /** Queries whose true neighbours are found; exact search is timed on these too. */
  private static final int RECALL_QUERIES = 1024;

  private static final ImmutableList<Integer> PROBES =
      ImmutableList.of(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256);

  /** Breadth of a graph's search, by the number of neighbours. */
  private static final ImmutableList<Double> BREADTHS =
      ImmutableList.of(1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0);

  private static final double NANOS_PER_MS = 1e6;
  private static final double MS_PER_SECOND = 1e3;

  private final BenchmarkSearchRequest request;
  private final RunContext context;
  private final Progress progress;
  private final float[] keys;
  private final float[] queries;

  /** The first queries. */
  private final float[] some;

  /**
   * A search that finds enough.
   *
   * @param effort probes or breadth
   */
  private record Contender(NeighborSearch search, int effort, double recall)
      implements AutoCloseable {
    @Override
    public void close() {
      search.close();
    }
  }

  private BenchmarkSearchWorkflow(
      BenchmarkSearchRequest request,
      RunContext context,
      Progress progress,
      float[] keys,
      float[] queries) {
    this.request = request;
    this.context = context;
    this.progress = progress;
    this.keys = keys;
    this.queries = queries;
    this.some = Arrays.copyOf(queries, Math.min(queries.length, RECALL_QUERIES * request.width()));
  }

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
    try (Progress progress = new Progress(context.console())) {
      return new BenchmarkSearchWorkflow(request, context, progress, keys, queries).measure();
    }
  }

  private Outcome measure() {
    int numKeys = keys.length / request.width();
    IvfSettings defaults = IvfSettings.of(numKeys, request.seed());
    IvfSettings settings =
        new IvfSettings(
            request.numLists() > 0 ? request.numLists() : defaults.numLists(),
            defaults.numIterations(),
            defaults.samplesPerList(),
            request.encoding(),
            request.numSubvectors(),
            request.seed());
    long start = System.nanoTime();
    IvfIndex index =
        IvfIndex.build(keys, request.width(), Metric.SQUARED_L2, settings, request.threads());
    double buildMs = ms(start);
    try (ExactSearch exact =
        new ExactSearch(
            keys, request.width(), request.neighbors(), Metric.SQUARED_L2, request.threads())) {
      Neighbors expected = exact.search(some);
      try (Contender inverted = inverted(index, expected)) {
        return request.withGraph()
            ? withGraph(index, buildMs, exact, expected, inverted)
            : outcome(index, buildMs, inverted, time(exact, List.of(inverted.search())));
      }
    }
  }

  private Contender inverted(IvfIndex index, Neighbors expected) {
    boolean chosen = request.numProbes() > 0;
    return leastEffort(
        "choosing probes",
        chosen ? List.of(request.numProbes()) : PROBES,
        chosen ? 0 : request.recall(),
        probes -> new IvfSearch(index, probes, request.neighbors(), request.threads()),
        expected,
        "no number of probes up to 256 reaches a recall of %s;"
            + " name fewer lists or another encoding");
  }

  private Contender leastEffort(
      String what,
      List<Integer> efforts,
      double wanted,
      IntFunction<NeighborSearch> open,
      Neighbors expected,
      String failure) {
    for (int i = 0; i < efforts.size(); i++) {
      NeighborSearch search = open.apply(efforts.get(i));
      double recall = search.search(some).recall(expected);
      progress.progress(what, i + 1, efforts.size());
      if (recall >= wanted) {
        return new Contender(search, efforts.get(i), recall);
      }
      search.close();
    }
    throw new FailedException(failure.formatted(wanted));
  }

  private Outcome withGraph(
      IvfIndex index, double buildMs, ExactSearch exact, Neighbors expected, Contender inverted) {
    context.console().note("building a graph takes minutes for each million keys");
    long start = System.nanoTime();
    try (KeyGraph graph = KeyGraph.build(keys, request.width(), request.threads(), progress)) {
      double graphMs = ms(start);
      try (Contender walk = walk(graph, expected)) {
        List<Samples> times = time(exact, List.of(inverted.search(), walk.search()));
        Outcome outcome = outcome(index, buildMs, inverted, times);
        return graphOutcome(outcome, graph, graphMs, walk, times);
      }
    }
  }

  private Contender walk(KeyGraph graph, Neighbors expected) {
    return leastEffort(
        "choosing breadth",
        BREADTHS.stream().map(times -> (int) (times * request.neighbors())).toList(),
        request.recall(),
        breadth -> new GraphSearch(graph, request.neighbors(), breadth, request.threads()),
        expected,
        "no breadth up to 64 times the neighbours reaches a recall of %s; ask for less");
  }

  /** Milliseconds of the exact search on some queries, and of the others on all, in turns. */
  private List<Samples> time(ExactSearch exact, List<NeighborSearch> others) {
    double[][] ms = new double[1 + others.size()][request.repeats()];
    others.forEach(search -> search.search(queries));
    for (int i = 0; i < request.repeats(); i++) {
      ms[0][i] = timeMs(exact, some);
      for (int other = 0; other < others.size(); other++) {
        ms[1 + other][i] = timeMs(others.get(other), queries);
      }
      progress.progress("timing searches", i + 1, request.repeats());
    }
    return Arrays.stream(ms).map(Samples::new).toList();
  }

  private static double timeMs(NeighborSearch search, float[] queries) {
    long start = System.nanoTime();
    search.search(queries);
    return ms(start);
  }

  private static double ms(long start) {
    return (System.nanoTime() - start) / NANOS_PER_MS;
  }

  private double rate(float[] asked, Samples ms) {
    int numQueries = asked.length / request.width();
    return numQueries / ms.median() * MS_PER_SECOND;
  }

  private Outcome outcome(IvfIndex index, double buildMs, Contender inverted, List<Samples> times) {
    double exactRate = rate(some, times.get(0));
    double rate = rate(queries, times.get(1));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("numKeys", index.numKeys());
    facts.put("width", request.width());
    facts.put("neighbors", request.neighbors());
    facts.put("encoding", request.encoding().name());
    facts.put("numLists", index.numLists());
    facts.put("numProbes", inverted.effort());
    facts.put("recall", inverted.recall());
    facts.put("queriesPerSecond", rate);
    facts.put("exactQueriesPerSecond", exactRate);
    facts.put("ratio", rate / exactRate);
    facts.put("buildMs", buildMs);
    facts.put("indexBytes", index.numBytes());
    facts.put("repeats", request.repeats());
    facts.put("hardware", HardwareFile.describe(context.storage(), request.threads()));
    return Outcome.done(
        facts,
        ImmutableList.of(
            String.format(
                Locale.ROOT,
                "%,d keys, %d of %d lists: recall %.4f at %d, %,.0f queries a second;"
                    + " exact %,.0f, ratio %.1f",
                index.numKeys(),
                inverted.effort(),
                index.numLists(),
                inverted.recall(),
                request.neighbors(),
                rate,
                exactRate,
                rate / exactRate),
            String.format(
                Locale.ROOT, "built in %.1f s, %,d bytes", buildMs / 1e3, index.numBytes())));
  }

  /** The same with what the graph did; its ratio is queries a second over the inverted file's. */
  private Outcome graphOutcome(
      Outcome outcome, KeyGraph graph, double buildMs, Contender walk, List<Samples> times) {
    double rate = rate(queries, times.get(2));
    double ratio = times.get(1).median() / times.get(2).median();
    double[] interval = Samples.ratioInterval(times.get(1), times.get(2));
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("maxDegree", KeyGraph.MAX_DEGREE);
    found.put("buildBreadth", KeyGraph.BUILD_BREADTH);
    found.put("breadth", walk.effort());
    found.put("recall", walk.recall());
    found.put("queriesPerSecond", rate);
    found.put("ratio", ratio);
    found.put("ratioLow", interval[0]);
    found.put("ratioHigh", interval[1]);
    found.put("buildMs", buildMs);
    found.put("indexBytes", graph.numBytes());
    found.put("arithmetic", KeyGraph.arithmetic());
    Map<String, Object> facts = new LinkedHashMap<>(outcome.facts());
    facts.put("graph", found);
    List<String> lines = new ArrayList<>(outcome.lines());
    lines.add(
        String.format(
            Locale.ROOT,
            "graph (jvector), breadth %d: recall %.4f at %d, %,.0f queries a second,"
                + " %.2f times the inverted file (95 %% interval %.2f to %.2f)",
            walk.effort(),
            walk.recall(),
            request.neighbors(),
            rate,
            ratio,
            interval[0],
            interval[1]));
    lines.add(
        String.format(
            Locale.ROOT,
            "graph built in %.1f s, %,d bytes, %s",
            buildMs / 1e3,
            graph.numBytes(),
            KeyGraph.arithmetic()));
    return Outcome.done(facts, lines);
  }
}
