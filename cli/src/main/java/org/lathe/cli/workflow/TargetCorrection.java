package org.lathe.cli.workflow;

/**
 * Which speed-up to plan for so that the one that was asked for is measured: in proportion to what
 * was measured last; from a structure that jumps, halfway (in ratios) between the targets that are
 * known to be too slow and too fast.
 */
final class TargetCorrection {
  private final double asked;
  private final double limit;
  private double target;

  /** The largest target that was too slow. */
  private double tooSlow = 0;

  /** The smallest that was too fast. */
  private double tooFast = Double.POSITIVE_INFINITY;

  /**
   * @param limit what no structure reaches, by the latency tables
   */
  TargetCorrection(double asked, double limit) {
    this.asked = asked;
    this.limit = limit;
    target = asked;
  }

  /** What to plan for: at first what was asked. */
  double target() {
    return target;
  }

  /** The structure planned for {@link #target} was that fast, and not near enough. */
  void missed(double measured) {
    if (measured < asked) {
      tooSlow = Math.max(tooSlow, target);
    } else {
      tooFast = Math.min(tooFast, target);
    }
    double proportional = target * asked / measured;
    if (proportional >= limit) {
      proportional = Math.sqrt(target * limit);
    } else if (proportional <= 1) {
      proportional = Math.sqrt(target); // no target slows a model down
    }
    boolean bracketed = tooSlow > 0 && tooFast < Double.POSITIVE_INFINITY;
    boolean between = proportional > tooSlow && proportional < tooFast;
    target = bracketed && !between ? Math.sqrt(tooSlow * tooFast) : proportional;
  }
}
