package org.lathe.training.loop;

import java.util.Map;
import org.lathe.graphs.errors.DivergedException;
import org.lathe.graphs.weights.Weights;

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
            throw diverged(step, name + " is " + value);
          }
        });
  }

  /**
   * An update can overflow while its loss and gradient were finite; such a state is not saved.
   *
   * @throws DivergedException naming the variable and the step
   */
  static void check(long step, Weights state) {
    for (String name : state.names()) {
      for (float value : state.get(name).values()) {
        if (!Float.isFinite(value)) {
          throw diverged(step, "the variable " + name + " holds " + value);
        }
      }
    }
  }

  private static DivergedException diverged(long step, String what) {
    return new DivergedException(
        "training diverged at step "
            + step
            + ": "
            + what
            + ", expected a finite number. The last checkpoint is untouched; lower"
            + " training.learningRate, lengthen training.warmupSteps or set training.clipNorm.");
  }
}
