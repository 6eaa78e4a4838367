package org.lathe.training.loop;

import java.util.Map;

/** Hears what happens in a training loop; all methods do nothing by default. */
public interface TrainingListener {

  /**
   * @param step number of updates done, from 1
   * @param values loss, gradientNorm and the task's own metrics
   * @param tokensPerSecond over the steps since the last call
   */
  default void onStep(long step, long steps, Map<String, Double> values, double tokensPerSecond) {}

  /**
   * @param name of a measurement on held-out data, such as {@link Validation#LOSS}
   */
  default void onValidation(long step, String name, double value) {}

  default void onCheckpoint(long step) {}
}
