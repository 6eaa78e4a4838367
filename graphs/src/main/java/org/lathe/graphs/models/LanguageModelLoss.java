package org.lathe.graphs.models;

import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.objectives.MemoryObjective;
import org.lathe.graphs.objectives.TokenCrossEntropy;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The training loss of a language model on one batch, with or without memory. Shape letters: N
 * positions of the flattened batch, V vocabulary.
 *
 * @param vocabularyMassN Zv = ln sum_w exp(a_w)
 * @param targetLogitsN a_y of the right next token
 * @param meanLoss mean of -ln P(y) over the batch in nats, a scalar
 */
public record LanguageModelLoss(
    Operand<TFloat32> vocabularyMassN,
    Operand<TFloat32> targetLogitsN,
    Operand<TFloat32> meanLoss) {

  /**
   * Switches of one batch.
   *
   * @param memoryBias added to every memory logit: 0, or Masks.HIDDEN in the cross-entropy warm-up
   * @param localBias added to items of the own segment: 0, or Masks.HIDDEN where they are dropped
   */
  public record MemorySwitches(Operand<TFloat32> memoryBias, Operand<TFloat32> localBias) {}

  /**
   * @param vocabulary Zv and a_y
   * @param tapND g: queries and keys of the memory
   * @param targetsN next tokens
   * @param batchSize B, segments
   * @param segmentLength T
   * @param width of g
   */
  public static LanguageModelLoss of(
      Ops tf,
      VocabularyHead.Target vocabulary,
      Operand<TFloat32> tapND,
      Operand<TInt32> targetsN,
      MemoryConfig memory,
      MemorySwitches switches,
      int batchSize,
      int segmentLength,
      int width) {
    Operand<TFloat32> mass = vocabulary.massN();
    Operand<TFloat32> target = vocabulary.logitsN();
    Operand<TFloat32> loss =
        memory.objective() == MemoryConfig.MemoryObjective.NONE
            ? tf.math.mean(TokenCrossEntropy.perPosition(tf, mass, target), tf.constant(0))
            : MemoryObjective.meanLoss(
                tf,
                memory,
                new MemoryObjective.Batch<>(
                    mass,
                    target,
                    tapND,
                    targetsN,
                    switches.memoryBias(),
                    switches.localBias(),
                    batchSize,
                    segmentLength,
                    width));
    return new LanguageModelLoss(mass, target, loss);
  }
}
