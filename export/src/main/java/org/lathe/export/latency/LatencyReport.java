package org.lathe.export.latency;

/**
 * Time of one call, feeding and fetching included.
 *
 * @param medianMs over all runs
 * @param p5Ms 5 % of the runs were faster
 * @param p95Ms 5 % of the runs were slower
 * @param medianLowMs lower end of the median's 95 % confidence interval
 * @param medianHighMs upper end
 * @param hardware processor, cores, threads and TensorFlow version: times hold for this only
 */
public record LatencyReport(
    int batchSize,
    int length,
    int numRuns,
    double medianMs,
    double p5Ms,
    double p95Ms,
    double medianLowMs,
    double medianHighMs,
    String hardware) {}
