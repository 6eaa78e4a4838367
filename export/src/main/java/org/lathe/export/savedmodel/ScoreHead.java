package org.lathe.export.savedmodel;

import java.util.List;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.objectives.MemoryObjective.MemoryMass;
import org.lathe.graphs.objectives.TokenCrossEntropy;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Log-probabilities of given texts, for perplexity.
 *
 * <p>Shape letters: B rows, T length, S = T - 1 positions whose next token is given, D hidden, P
 * width of the memory's keys.
 */
final class ScoreHead {
  private ScoreHead() {}

  /**
   * ln P(x_{t+1} | x_1 .. x_t) at t, and 0 where x_{t+1} is padding: (B, S).
   *
   * @param numIdsB ids of each row that are not padding
   */
  static Operand<TFloat32> logProbabilities(
      Ops tf,
      ExportRequest request,
      DecoderLanguageModel model,
      DecoderLanguageModel.Output output,
      Operand<TInt32> tokensBT,
      Operand<TInt32> numIdsB) {
    int hiddenSize = request.config().hiddenSize();
    SequenceShape shape = output.shape();
    Operand<TInt32> numScored = tf.math.sub(shape.length(), tf.constant(1));
    Operand<TInt32> shapeBS = tf.stack(List.of(shape.batchSize(), numScored));
    Operand<TInt32> targetsBS =
        tf.slice(tokensBT, tf.constant(new int[] {0, 1}), tf.constant(new int[] {-1, -1}));

    Operand<TFloat32> outputND = withoutLast(tf, output.outputND(), shape, hiddenSize);
    VocabularyHead.Target target =
        model
            .head()
            .target(
                tf,
                outputND,
                tf.reshape(targetsBS, tf.constant(new int[] {-1})),
                Gates.NONE,
                Dropout.NONE);
    Operand<TFloat32> lossN;
    if (request.memory().objective() == MemoryObjective.NONE) {
      lossN = TokenCrossEntropy.perPosition(tf, target.massN(), target.logitsN());
    } else {
      int width = request.config().tapWidth();
      Operand<TFloat32> tapBSP =
          tf.reshape(
              withoutLast(tf, output.tapNP(), shape, width),
              tf.stack(List.of(shape.batchSize(), numScored, tf.constant(width))));
      MemoryMass<TFloat32> mass =
          new MemoryHead(request.memory(), request.temperature())
              .everyPosition(tf, tapBSP, targetsBS, numScored);
      lossN =
          org.lathe.graphs.objectives.MemoryObjective.perPosition(
              tf, target.massN(), target.logitsN(), mass);
    }
    Operand<TBool> givenBS =
        tf.math.less(
            tf.expandDims(Masks.range(tf, numScored), tf.constant(0)),
            tf.expandDims(tf.math.sub(numIdsB, tf.constant(1)), tf.constant(1)));
    return tf.select(givenBS, tf.reshape(tf.math.neg(lossN), shapeBS), tf.constant(0f));
  }

  /** (B*T, D) -> (B*S, D): drops each row's last position. */
  private static Operand<TFloat32> withoutLast(
      Ops tf, Operand<TFloat32> x, SequenceShape shape, int width) {
    Operand<TInt32> sizes =
        tf.stack(
            List.of(
                tf.constant(-1), tf.math.sub(shape.length(), tf.constant(1)), tf.constant(width)));
    Operand<TFloat32> cutBSD =
        tf.slice(shape.unflatten(tf, x, width), tf.constant(new int[] {0, 0, 0}), sizes);
    return tf.reshape(cutBSD, tf.constant(new int[] {-1, width}));
  }
}
