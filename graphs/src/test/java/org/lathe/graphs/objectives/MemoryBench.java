package org.lathe.graphs.objectives;

import java.util.List;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.ops.Masks;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;

/** The memory objective on placeholders, in float64, with full vocabulary logits. */
final class MemoryBench implements AutoCloseable {
  private final TestSession session = new TestSession();
  private final MemoryConfig config;
  private final BatchShape shape;
  private final Placeholder<TFloat64> logits;
  private final Placeholder<TFloat64> tap;
  private final Placeholder<TInt32> targets;
  private final Placeholder<TFloat64> memoryBias;
  private final Placeholder<TFloat64> localBias;
  private final MemoryObjective.Batch<TFloat64> batch;

  private record BatchShape(int batchSize, int length, int width, int vocabulary) {
    int numPositions() {
      return batchSize * length;
    }
  }

  MemoryBench(MemoryConfig config, int batchSize, int length, int width, int vocabulary) {
    this.config = config;
    this.shape = new BatchShape(batchSize, length, width, vocabulary);
    Ops tf = session.tf();
    int n = shape.numPositions();
    logits = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.of(n, vocabulary)));
    tap = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.of(n, width)));
    targets = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(n)));
    memoryBias = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.scalar()));
    localBias = tf.placeholder(TFloat64.class, Placeholder.shape(Shape.scalar()));
    Operand<TFloat64> hot =
        tf.oneHot(targets, tf.constant(vocabulary), tf.constant(1.0), tf.constant(0.0));
    batch =
        new MemoryObjective.Batch<>(
            LogSumExp.lastAxis(tf, logits),
            tf.reduceSum(tf.math.mul(logits, hot), tf.constant(-1)),
            tap,
            targets,
            memoryBias,
            localBias,
            batchSize,
            length,
            width);
  }

  TestSession session() {
    return session;
  }

  Operand<TFloat64> logits() {
    return logits;
  }

  Operand<TFloat64> tap() {
    return tap;
  }

  Operand<TFloat64> meanLoss() {
    return MemoryObjective.meanLoss(session.tf(), config, batch);
  }

  Operand<TFloat64> blockwise(int queriesPerBlock) {
    return MemoryObjective.blockwiseMeanLoss(session.tf(), config, batch, queriesPerBlock);
  }

  Operand<TFloat64> perPosition() {
    Ops tf = session.tf();
    var mass =
        config.objective() == MemoryConfig.MemoryObjective.LOCAL
            ? MemoryObjective.localMass(tf, config, batch)
            : MemoryObjective.batchMass(tf, config, batch);
    return MemoryObjective.perPosition(tf, batch.vocabularyMassN(), batch.targetLogitsN(), mass);
  }

  Operand<TFloat64> crossEntropy() {
    return TokenCrossEntropy.perPosition(
        session.tf(), batch.vocabularyMassN(), batch.targetLogitsN());
  }

  Feeds feeds(
      double[] logitValues,
      double[] tapValues,
      int[] targetValues,
      boolean memoryVisible,
      boolean localVisible) {
    int n = shape.numPositions();
    return Feeds.none()
        .put(logits, Shape.of(n, shape.vocabulary), logitValues)
        .put(tap, Shape.of(n, shape.width), tapValues)
        .put(targets, Shape.of(n), targetValues)
        .scalar(memoryBias, memoryVisible ? 0 : Masks.HIDDEN)
        .scalar(localBias, localVisible ? 0 : Masks.HIDDEN);
  }

  /** With respect to logits and tap. */
  List<double[]> gradients(Operand<TFloat64> loss, Feeds feeds) {
    return session.evaluateAll(List.of(gradientOutputs(loss)), feeds);
  }

  /** With respect to logits and tap. */
  Output<?>[] gradientOutputs(Operand<TFloat64> loss) {
    return session
        .graph()
        .addGradients(loss.asOutput(), new Output<?>[] {logits.asOutput(), tap.asOutput()});
  }

  @Override
  public void close() {
    session.close();
  }
}
