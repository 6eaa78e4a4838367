package org.lathe.training.loop;

import org.lathe.training.batching.Batch;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Segments of a text and their next tokens.
 *
 * @param inputsBT token ids (B, T)
 * @param targetsN next tokens, flattened (B*T)
 * @param continues scalar: 1 where each row follows the same row of the batch before, else 0
 */
public record TokenInput(
    Operand<TInt32> inputsBT, Operand<TInt32> targetsN, Operand<TFloat32> continues)
    implements BatchInput<Batch> {

  public static TokenInput declare(TrainingTask.Site site) {
    Ops tf = site.tf();
    Shape shape = Shape.of(site.batchSize(), site.segmentLength());
    return new TokenInput(
        tf.withName("inputs").placeholder(TInt32.class, Placeholder.shape(shape)),
        tf.withName("targets").placeholder(TInt32.class, Placeholder.shape(Shape.of(shape.size()))),
        tf.withName("continues").placeholder(TFloat32.class, Placeholder.shape(Shape.scalar())));
  }

  @Override
  public void feed(Batch batch, Feeder feeder) {
    feeder.feed(inputsBT, ints(inputsBT.shape(), batch.inputs()));
    feeder.feed(targetsN, ints(targetsN.shape(), batch.targets()));
    feeder.feed(continues, TFloat32.scalarOf(batch.continues() ? 1 : 0));
  }

  private static TInt32 ints(Shape shape, int[] values) {
    return TInt32.tensorOf(shape, DataBuffers.of(values, true, false));
  }
}
