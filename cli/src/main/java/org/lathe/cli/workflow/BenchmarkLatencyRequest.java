package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;

/**
 * Times exported models in turns.
 *
 * @param versions directories models/NAME/VERSION; the first is what the others are held to
 * @param batchSizes rows a call, each measured by itself
 * @param length ids a row
 * @param runs timed calls of each
 * @param threads of TensorFlow; 0 = one per core
 */
public record BenchmarkLatencyRequest(
    List<Path> versions, List<Integer> batchSizes, int length, int runs, int threads) {}
