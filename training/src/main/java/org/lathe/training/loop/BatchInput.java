package org.lathe.training.loop;

import org.tensorflow.Operand;
import org.tensorflow.Tensor;

/**
 * The placeholders of one kind of batch.
 *
 * @param <B> the batch
 */
public interface BatchInput<B> {

  /** Takes tensors for placeholders and closes them when the step is over. */
  interface Feeder {
    void feed(Operand<?> placeholder, Tensor tensor);
  }

  /** Feeds everything that one micro-step reads of a batch. */
  void feed(B batch, Feeder feeder);
}
