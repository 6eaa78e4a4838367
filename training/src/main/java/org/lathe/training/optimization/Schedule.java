package org.lathe.training.optimization;

/**
 * A factor on the peak learning rate, by optimizer step. Pure: a resumed run gets what a straight
 * one would.
 *
 * <p>With s the step from 0, W = warmupSteps, E = totalSteps, r = minimumRatio:
 *
 * <ul>
 *   <li>warm-up, all kinds, s &lt; W: (s + 1) / W, so 1 / W at step 0 and 1 at step W - 1
 *   <li>CONSTANT, s &gt;= W: 1
 *   <li>with progress p = min(1, (s - W) / (E - W)):
 *       <ul>
 *         <li>LINEAR: r + (1 - r) (1 - p)
 *         <li>COSINE: r + (1 - r) (1 + cos(pi p)) / 2 (Loshchilov and Hutter 2017, one period)
 *       </ul>
 *       both are 1 at step W and r from step E on
 *   <li>INVERSE_SQUARE_ROOT, s &gt;= W: max(r, sqrt(W / s)) (Vaswani et al. 2017, section 5.3, as
 *       fairseq's inverse_sqrt)
 * </ul>
 *
 * <p>Example: COSINE, W = 2, E = 10, r = 0 gives 0.5, 1, 1 at steps 0 to 2, 0.5 at step 6 and 0
 * from step 10 on.
 */
@FunctionalInterface
public interface Schedule {

  /**
   * @param step optimizer step, from 0
   * @return factor in [0, 1]
   */
  double factorAt(long step);

  static Schedule of(ScheduleConfig config) {
    return step ->
        step < config.warmupSteps()
            ? (step + 1.0) / config.warmupSteps()
            : afterWarmup(config, step);
  }

  /** The peak rate at every step. */
  static Schedule constant() {
    return of(ScheduleConfig.constant());
  }

  private static double afterWarmup(ScheduleConfig config, long step) {
    double minimum = config.minimumRatio();
    return switch (config.kind()) {
      case CONSTANT -> 1;
      case LINEAR -> minimum + (1 - minimum) * (1 - progress(config, step));
      case COSINE -> minimum + (1 - minimum) * (1 + Math.cos(Math.PI * progress(config, step))) / 2;
      case INVERSE_SQUARE_ROOT ->
          Math.max(minimum, Math.sqrt((double) config.warmupSteps() / step));
    };
  }

  private static double progress(ScheduleConfig config, long step) {
    double decaySteps = config.totalSteps() - config.warmupSteps();
    return Math.min(1, (step - config.warmupSteps()) / decaySteps);
  }
}
