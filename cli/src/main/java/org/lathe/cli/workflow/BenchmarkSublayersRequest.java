package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;

/**
 * Measures the latency tables of a run's model.
 *
 * @param run a finished, unpruned run
 * @param out directory of the tables
 * @param batchSizes rows a call, a table each
 * @param length ids a row
 * @param threads of TensorFlow; 0 = one per core
 */
public record BenchmarkSublayersRequest(
    Path run, Path out, List<Integer> batchSizes, int length, int threads) {}
