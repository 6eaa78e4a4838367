package org.lathe.graphs.models;

import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.objectives.MemoryObjective;
import org.lathe.graphs.objectives.TokenCrossEntropy;
import org.lathe.graphs.ops.LogSumExp;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The training loss of a decoder on one batch, with or without memory. Shape letters: N positions
 * of the flattened batch, V vocabulary.
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
   * @param logitsNV of this output
   * @param targetsN next tokens
   * @param batchSize B, segments
   * @param segmentLength T
   */
  public static LanguageModelLoss of(
      Ops tf,
      DecoderLanguageModel model,
      DecoderLanguageModel.Output output,
      Operand<TFloat32> logitsNV,
      Operand<TInt32> targetsN,
      MemoryConfig memory,
      MemorySwitches switches,
      Gates gates,
      int batchSize,
      int segmentLength) {
    Operand<TFloat32> mass = LogSumExp.lastAxis(tf, logitsNV);
    Operand<TFloat32> target = model.targetLogits(tf, output.outputND(), targetsN, gates);
    Operand<TFloat32> loss =
        memory.objective() == MemoryConfig.MemoryObjective.NONE
            ? tf.math.mean(TokenCrossEntropy.perPosition(tf, mass, target), tf.constant(0))
            : MemoryObjective.meanLoss(
                tf,
                memory,
                new MemoryObjective.Batch<>(
                    mass,
                    target,
                    output.tapND(),
                    targetsN,
                    switches.memoryBias(),
                    switches.localBias(),
                    batchSize,
                    segmentLength,
                    model.config().hiddenSize()));
    return new LanguageModelLoss(mass, target, loss);
  }
}
