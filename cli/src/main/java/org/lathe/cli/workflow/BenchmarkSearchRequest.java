package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.retrieval.KeyEncoding;

/**
 * Times an inverted-file search beside the exact one, and beside a graph.
 *
 * @param keysFile raw float32, little-endian, row-major (N, width); null = made
 * @param queriesFile the same for queries; null = made
 * @param numKeys where they are made
 * @param numQueries where they are made
 * @param writeTo directory for keys.bin and queries.bin that another program may read; null = none
 * @param numLists 0 = the square root of the number of keys
 * @param numProbes 0 = the fewest of a doubling row that reach the recall
 * @param recall wanted part of the true neighbours
 * @param withGraph build a graph over the same keys and time its search too
 */
public record BenchmarkSearchRequest(
    @Nullable Path keysFile,
    @Nullable Path queriesFile,
    int numKeys,
    int numQueries,
    int width,
    @Nullable Path writeTo,
    int numLists,
    int numProbes,
    KeyEncoding encoding,
    int numSubvectors,
    int neighbors,
    double recall,
    int repeats,
    int threads,
    long seed,
    boolean withGraph) {}
