package org.lathe.graphs.objectives;

import static org.lathe.graphs.objectives.MemoryVisibility.matching;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.Scalars;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.op.train.BatchMatMul;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * TRIME's training objective: vocabulary and memory compete in one softmax (Zhong et al. 2022,
 * equation 3).
 *
 * <pre>
 *   s_j  = scale g_t . g_j                            memory logits of the visible items
 *   Z    = sum_w exp(a_w) + sum_j exp(s_j)            one denominator
 *   P(y) = [exp(a_y) + sum_{j: y_j = y} exp(s_j)] / Z
 *   -ln P(y) = ln(e^Zv + e^Zc) - ln(e^a_y + e^m)
 * </pre>
 *
 * with Zv, Zc the logSumExp of the vocabulary and memory logits and m that of the matching memory
 * logits. Gradients reach queries and keys alike. Shape letters: B segments, T length, N = B*T, D
 * width of g.
 */
public final class MemoryObjective {
  /**
   * Above this many scores the loss is computed block by block, so that 12,288 items need one block
   * of scores at a time (4,096^2 floats are 67 MB, and about six such matrices live at once).
   */
  public static final long MAX_SCORES_AT_ONCE = 2_048L * 2_048;

  private static final int QUERIES_PER_BLOCK = 512;

  /**
   * One batch as the objective sees it.
   *
   * @param vocabularyMassN Zv: ln sum_w exp(a_w)
   * @param targetLogitsN a_y
   * @param tapND g: queries and keys
   * @param targetsN y, which are also the values of the items
   * @param memoryBias scalar added to every memory logit: 0, or {@link Masks#HIDDEN} during the
   *     cross-entropy warm-up, where the memory then vanishes exactly
   * @param localBias scalar added to items of the own segment (EXTERNAL): 0 or {@link Masks#HIDDEN}
   */
  public record Batch<T extends TNumber>(
      Operand<T> vocabularyMassN,
      Operand<T> targetLogitsN,
      Operand<T> tapND,
      Operand<TInt32> targetsN,
      Operand<T> memoryBias,
      Operand<T> localBias,
      int batchSize,
      int segmentLength,
      int width) {

    int numPositions() {
      return batchSize * segmentLength;
    }
  }

  /**
   * Logarithms of the visible memory's mass, per position.
   *
   * @param allN Zc: all visible items
   * @param matchingN m: those whose value is the target
   */
  public record MemoryMass<T extends TNumber>(Operand<T> allN, Operand<T> matchingN) {}

  private MemoryObjective() {}

  /** Mean of -ln P(y) over the batch, in nats: a scalar. */
  public static <T extends TNumber> Operand<T> meanLoss(
      Ops tf, MemoryConfig config, Batch<T> batch) {
    boolean local = config.objective() == MemoryConfig.MemoryObjective.LOCAL;
    long numKeys = local ? batch.segmentLength() : batch.numPositions();
    if (batch.numPositions() * numKeys > MAX_SCORES_AT_ONCE) {
      return blockwiseMeanLoss(tf, config, batch, QUERIES_PER_BLOCK);
    }
    MemoryMass<T> mass = local ? localMass(tf, config, batch) : batchMass(tf, config, batch);
    Operand<T> loss = perPosition(tf, batch.vocabularyMassN(), batch.targetLogitsN(), mass);
    return tf.math.mean(loss, tf.constant(0));
  }

  /** -ln P(y) of equation (3), (N). */
  public static <T extends TNumber> Operand<T> perPosition(
      Ops tf, Operand<T> vocabularyMassN, Operand<T> targetLogitsN, MemoryMass<T> mass) {
    return tf.math.sub(
        LogSumExp.add(tf, vocabularyMassN, mass.allN()),
        LogSumExp.add(tf, targetLogitsN, mass.matchingN()));
  }

  /** LOCAL: scores only within each segment, (B, T, T). */
  static <T extends TNumber> MemoryMass<T> localMass(Ops tf, MemoryConfig config, Batch<T> batch) {
    int length = batch.segmentLength();
    int width = batch.width();
    Class<T> type = batch.tapND().type();
    Operand<T> tapBTD = tf.reshape(batch.tapND(), tf.constant(new int[] {-1, length, width}));
    Operand<TInt32> targetsBT = tf.reshape(batch.targetsN(), tf.constant(new int[] {-1, length}));
    Operand<TInt32> index = Masks.range(tf, tf.constant(length));
    Operand<T> maskTT =
        MemoryVisibility.additive(
            tf, config, index, index, length, MemoryVisibility.noBias(tf, batch.tapND()));
    Operand<T> scoresBTT =
        tf.math.add(
            tf.math.mul(
                tf.train.batchMatMul(tapBTD, tapBTD, type, BatchMatMul.adjY(true)),
                Scalars.like(tf, tapBTD, config.scoreScale())),
            tf.math.add(maskTT, batch.memoryBias()));
    MemoryMass<T> massBT = mass(tf, scoresBTT, matching(tf, targetsBT, targetsBT, type));
    Operand<TInt32> flat = tf.constant(new int[] {-1});
    return new MemoryMass<>(tf.reshape(massBT.allN(), flat), tf.reshape(massBT.matchingN(), flat));
  }

  /** CONSECUTIVE and EXTERNAL: scores between all positions of the batch, (N, N). */
  static <T extends TNumber> MemoryMass<T> batchMass(Ops tf, MemoryConfig config, Batch<T> batch) {
    Operand<TInt32> index = Masks.range(tf, tf.constant(batch.numPositions()));
    Operand<T> scoresNN = scores(tf, config, batch, batch.tapND(), index, index);
    return mass(
        tf, scoresNN, matching(tf, batch.targetsN(), batch.targetsN(), batch.tapND().type()));
  }

  private static <T extends TNumber> MemoryMass<T> mass(
      Ops tf, Operand<T> scores, Operand<T> matchingMask) {
    return new MemoryMass<>(
        LogSumExp.lastAxis(tf, scores), LogSumExp.lastAxis(tf, tf.math.add(scores, matchingMask)));
  }

  private static <T extends TNumber> Operand<T> scores(
      Ops tf,
      MemoryConfig config,
      Batch<T> batch,
      Operand<T> queriesQD,
      Operand<TInt32> queryIndexQ,
      Operand<TInt32> keyIndexK) {
    Operand<T> mask =
        MemoryVisibility.additive(
            tf, config, queryIndexQ, keyIndexK, batch.segmentLength(), batch.localBias());
    Operand<T> products = tf.linalg.matMul(queriesQD, batch.tapND(), MatMul.transposeB(true));
    return tf.math.add(
        tf.math.mul(products, Scalars.like(tf, products, config.scoreScale())),
        tf.math.add(mask, batch.memoryBias()));
  }

  /**
   * The same mean loss with one block of queries at a time: each block's scores are turned into
   * their gradient at once and freed before the next block starts. The gradient is written out,
   * with r_j = exp(s_j) / Z and pi_j = exp(s_j) / (e^a_y + e^m) on matching items (0 elsewhere):
   *
   * <pre>
   *   dL/ds_j = r_j - pi_j
   *   dL/dg_t += scale sum_j (r_j - pi_j) g_j       dL/dg_j += scale (r_j - pi_j) g_t
   * </pre>
   *
   * and attached to g as a linear term whose value is subtracted again. For first derivatives only.
   */
  static <T extends TNumber> Operand<T> blockwiseMeanLoss(
      Ops tf, MemoryConfig config, Batch<T> batch, int queriesPerBlock) {
    int numPositions = batch.numPositions();
    Preconditions.checkArgument(queriesPerBlock > 0, "blocks need at least one query");
    Operand<T> keys = tf.stopGradient(batch.tapND());
    Operand<T> vocabularyMass = tf.stopGradient(batch.vocabularyMassN());
    Operand<T> targetLogits = tf.stopGradient(batch.targetLogitsN());
    Batch<T> still =
        new Batch<>(
            vocabularyMass,
            targetLogits,
            keys,
            batch.targetsN(),
            batch.memoryBias(),
            batch.localBias(),
            batch.batchSize(),
            batch.segmentLength(),
            batch.width());
    Operand<TInt32> keyIndex = Masks.range(tf, tf.constant(numPositions));
    Operand<T> keyGradient = tf.math.mul(keys, Scalars.like(tf, keys, 0));
    Operand<T> lossSum = Scalars.like(tf, keys, 0);
    List<Operand<T>> queryGradients = new ArrayList<>();
    List<Operand<T>> vocabularyShares = new ArrayList<>();
    List<Operand<T>> embeddingShares = new ArrayList<>();
    for (int begin = 0; begin < numPositions; begin += queriesPerBlock) {
      int end = Math.min(numPositions, begin + queriesPerBlock);
      // the block waits until the one before it has been folded into the gradient
      Ops after = tf.withControlDependencyOps(keyGradient.op(), lossSum.op());
      Operand<TInt32> queryIndex =
          after.range(tf.constant(begin), tf.constant(end), tf.constant(1));
      Operand<T> queries = tf.gather(keys, queryIndex, tf.constant(0));
      Operand<T> blockVocabularyMass = tf.gather(vocabularyMass, queryIndex, tf.constant(0));
      Operand<T> blockTargetLogits = tf.gather(targetLogits, queryIndex, tf.constant(0));
      Operand<TInt32> blockTargets = tf.gather(batch.targetsN(), queryIndex, tf.constant(0));

      Operand<T> scoresQN = scores(tf, config, still, queries, queryIndex, keyIndex);
      Operand<T> matchingQN =
          tf.math.add(scoresQN, matching(tf, blockTargets, batch.targetsN(), keys.type()));
      Operand<T> logDenominator =
          LogSumExp.add(tf, blockVocabularyMass, LogSumExp.lastAxis(tf, scoresQN));
      Operand<T> logNumerator =
          LogSumExp.add(tf, blockTargetLogits, LogSumExp.lastAxis(tf, matchingQN));
      lossSum =
          tf.math.add(
              lossSum, tf.reduceSum(tf.math.sub(logDenominator, logNumerator), tf.constant(0)));

      Operand<T> scoreGradientQN =
          tf.math.sub(
              tf.math.exp(tf.math.sub(scoresQN, tf.expandDims(logDenominator, tf.constant(1)))),
              tf.math.exp(tf.math.sub(matchingQN, tf.expandDims(logNumerator, tf.constant(1)))));
      queryGradients.add(tf.linalg.matMul(scoreGradientQN, keys));
      keyGradient =
          tf.math.add(
              keyGradient, tf.linalg.matMul(scoreGradientQN, queries, MatMul.transposeA(true)));
      vocabularyShares.add(tf.math.exp(tf.math.sub(blockVocabularyMass, logDenominator)));
      embeddingShares.add(tf.math.exp(tf.math.sub(blockTargetLogits, logNumerator)));
    }
    Operand<T> tapGradient =
        tf.math.mul(
            tf.math.add(join(tf, queryGradients), keyGradient),
            Scalars.like(tf, keys, config.scoreScale()));
    Operand<T> linear =
        tf.math.add(
            dot(tf, tapGradient, batch.tapND()),
            tf.math.sub(
                dot(tf, join(tf, vocabularyShares), batch.vocabularyMassN()),
                dot(tf, join(tf, embeddingShares), batch.targetLogitsN())));
    Operand<T> withGradient =
        tf.math.add(tf.stopGradient(lossSum), tf.math.sub(linear, tf.stopGradient(linear)));
    return tf.math.div(withGradient, Scalars.like(tf, withGradient, numPositions));
  }

  /** The blocks one after the other; TensorFlow's concat refuses a single one. */
  private static <T extends TNumber> Operand<T> join(Ops tf, List<Operand<T>> blocks) {
    return blocks.size() == 1 ? blocks.get(0) : tf.concat(blocks, tf.constant(0));
  }

  /** sum(coefficients x), the coefficients held constant. */
  private static <T extends TNumber> Operand<T> dot(Ops tf, Operand<T> coefficients, Operand<T> x) {
    Operand<T> products = tf.math.mul(tf.stopGradient(coefficients), x);
    return tf.reduceSum(tf.reshape(products, tf.constant(new int[] {-1})), tf.constant(0));
  }
}
