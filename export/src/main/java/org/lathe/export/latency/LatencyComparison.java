package org.lathe.export.latency;

/**
 * Two models measured in turns on one machine.
 *
 * @param speedUp median time of the first model over that of the second
 * @param speedUpLow lower end of its 95 % confidence interval
 * @param speedUpHigh upper end
 */
public record LatencyComparison(
    LatencyReport first,
    LatencyReport second,
    double speedUp,
    double speedUpLow,
    double speedUpHigh) {}
