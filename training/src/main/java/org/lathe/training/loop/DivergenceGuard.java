package org.lathe.training.loop;

import java.util.Map;
import org.lathe.graphs.errors.DivergedException;

/** Stops training at the first value that is not finite. */
final class DivergenceGuard {
  private DivergenceGuard() {}

  /**
   * @throws DivergedException naming the value and the step
   */
  static void check(long step, Map<String, Double> values) {
    values.forEach(
        (name, value) -> {
          if (!Double.isFinite(value)) {
            throw new DivergedException(
                "training diverged at step "
                    + step
                    + ": "
                    + name
                    + " is "
                    + value
                    + ", expected a finite number. The last checkpoint is untouched; lower"
                    + " training.learningRate, lengthen training.warmupSteps or set"
                    + " training.clipNorm.");
          }
        });
  }
}
