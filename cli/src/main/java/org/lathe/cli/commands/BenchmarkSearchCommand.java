package org.lathe.cli.commands;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.BenchmarkSearchRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.retrieval.KeyEncoding;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "search",
    description = "Time an inverted-file search beside the exact one and a graph, in turns.",
    footer = {
      "",
      "Example:",
      "  lathe benchmark search --keys 100000 --with-graph --write data/search",
      "  python3 docs/results/faiss_ivf.py data/search 128     (the same keys with FAISS)"
    })
final class BenchmarkSearchCommand extends BaseCommand {
  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Keys to make (default ${DEFAULT-VALUE}).")
  private int numKeys;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "8192",
      description = "Queries to make (default ${DEFAULT-VALUE}).")
  private int numQueries;

  @Option(
      names = "--keys-file",
      paramLabel = "FILE",
      description = "Read keys: float32, little-endian, nothing else.")
  private @Nullable Path keysFile;

  @Option(names = "--queries-file", paramLabel = "FILE", description = "Read queries.")
  private @Nullable Path queriesFile;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "128",
      description = "Numbers of a key (default ${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--write",
      paramLabel = "DIR",
      description = "Write keys.bin and queries.bin into this directory.")
  private @Nullable Path writeTo;

  @Option(
      names = "--lists",
      paramLabel = "N",
      defaultValue = "0",
      description = "Lists of the index (default 0, the square root of the keys).")
  private int numLists;

  @Option(
      names = "--probes",
      paramLabel = "N",
      defaultValue = "0",
      description = "Lists to read (default 0, the fewest that reach the recall).")
  private int numProbes;

  @Option(
      names = "--encoding",
      paramLabel = "NAME",
      defaultValue = "FLOAT32",
      description = "${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private KeyEncoding encoding = KeyEncoding.FLOAT32;

  @Option(
      names = "--subvectors",
      paramLabel = "N",
      defaultValue = "32",
      description = "Bytes of a key with PRODUCT (default ${DEFAULT-VALUE}).")
  private int numSubvectors;

  @Option(
      names = "--neighbors",
      paramLabel = "N",
      defaultValue = "10",
      description = "Neighbours to find (default ${DEFAULT-VALUE}).")
  private int neighbors;

  @Option(
      names = "--recall",
      paramLabel = "X",
      defaultValue = "0.95",
      description = "Part of the true neighbours to find (default ${DEFAULT-VALUE}).")
  private double recall;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      defaultValue = "5",
      description = "Timed passes of each (default ${DEFAULT-VALUE}).")
  private int repeats;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads (default 0, all cores).")
  private int threads;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "7",
      description = "Of keys, queries and clusters (default ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--with-graph",
      description = "Also build and time a graph (jvector, degree 32) over the keys; takes long.")
  private boolean withGraph;

  BenchmarkSearchCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    requireAtLeast("--keys", numKeys, 1);
    requireAtLeast("--queries", numQueries, 1);
    requireAtLeast("--width", width, 1);
    requireAtLeast("--lists", numLists, 0);
    requireAtLeast("--probes", numProbes, 0);
    requireAtLeast("--neighbors", neighbors, 1);
    requireAtLeast("--repeats", repeats, 1);
    requireAtLeast("--threads", threads, 0);
    if (!(recall > 0 && recall <= 1)) {
      throw new ConfigException("--recall is " + recall + "; expected a number in (0, 1]");
    }
    if (encoding == KeyEncoding.PRODUCT && (numSubvectors < 1 || width % numSubvectors != 0)) {
      throw new ConfigException(
          "--subvectors is " + numSubvectors + "; expected a divisor of the width " + width);
    }
    if (writeTo != null) {
      existingDirectory(writeTo, "directory", "make it with mkdir");
    }
    return surroundings
        .workflows()
        .get()
        .benchmarkSearch(
            new BenchmarkSearchRequest(
                keysFile,
                queriesFile,
                numKeys,
                numQueries,
                width,
                writeTo,
                numLists,
                numProbes,
                encoding,
                numSubvectors,
                neighbors,
                recall,
                repeats,
                threads,
                seed,
                withGraph),
            context(false));
  }
}
