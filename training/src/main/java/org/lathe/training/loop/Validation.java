package org.lathe.training.loop;

import java.util.List;
import java.util.Map;

/**
 * What is measured on held-out data while training.
 *
 * @param <B> the batches of the task
 */
public interface Validation<B> {
  /** Name of the mean loss in nats a token. */
  String LOSS = "loss";

  /** Measurements by name. */
  Map<String, Double> measure(Trainer<B> trainer);

  /** The mean loss over these batches, see {@link Trainer#validationLoss}. */
  static <B> Validation<B> loss(List<B> batches) {
    return trainer -> Map.of(LOSS, trainer.validationLoss(batches));
  }
}
